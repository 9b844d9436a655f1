import { parsePasswordHash } from "./parse-password-hash.js";
import type { PasswordHash } from "./password-hash.js";

/** The line of a user. */
export interface PasswordEntry {
  /** Absent when the password is locked. */
  readonly hash: PasswordHash | undefined;
  /** The text of the hash; empty when the password is locked. */
  readonly hashText: string;
  /**
   * The reason why the user may not log in even with the right password.
   *
   * @param today days since 1970-01-01, UTC
   */
  refusal(today: number): string | undefined;
}

/** After name and hash: lastchange, min, max, warn, inactive, expire, reserved (shadow(5)). */
const SHADOW_FIELDS = 7;

/**
 * Reads the text after the name: a hash, or that and the other fields of a line of /etc/shadow.
 *
 * @throws {Error} that says why it cannot be used
 */
export function parsePasswordEntry(value: string): PasswordEntry {
  const [hashText = "", ...fields] = value.split(":");
  if (fields.length !== 0 && fields.length !== SHADOW_FIELDS) {
    throw new Error("it is neither name:hash nor a line of a shadow file");
  }
  const [lastChange, , maximum, , , expiry] = fields.map(parseDays);
  if (hashText === "") throw new Error("the line has no hash");
  // An exclamation mark before a hash locks it; neither of the two is in any hash.
  const hash = /^[!*]/.test(hashText) ? undefined : parsePasswordHash(hashText);
  return {
    hash,
    hashText: hash === undefined ? "" : hashText,
    refusal(today) {
      if (hash === undefined) return "the password is locked";
      if (expiry !== undefined && today >= expiry) return "the account has expired";
      if (lastChange === 0) return "the password has to be changed first";
      if (lastChange !== undefined && maximum !== undefined && today > lastChange + maximum) {
        return "the password has expired";
      }
      return undefined;
    },
  };
}

/** Days since 1970-01-01, or so many days; -1 stands for nothing too. */
function parseDays(text: string): number | undefined {
  if (text === "" || text === "-1") return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new Error("a field of the shadow line is not a number");
  return Number(text);
}
