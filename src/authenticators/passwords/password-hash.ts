import { parseArgon2Hash } from "./argon2-hash.js";
import { parseBcryptHash } from "./bcrypt-hash.js";
import { parseScryptHash } from "./scrypt-hash.js";
import { parseShaCryptHash } from "./sha-crypt-hash.js";

/** A password as it is kept. */
export interface PasswordHash {
  /** What it costs to compute: hashes with the same text here take the same time. */
  readonly cost: string;
  /** Bytes that the algorithm looks at. */
  readonly maxPasswordLength: number;
  /** @param signal fires when nobody waits for the answer any more, which is then of no meaning */
  matches(password: Buffer, signal?: AbortSignal): Promise<boolean>;
}

const PARSERS: ReadonlyMap<string, (text: string) => PasswordHash> = new Map([
  ["scrypt", parseScryptHash],
  ["2a", parseBcryptHash],
  ["2b", parseBcryptHash],
  ["2y", parseBcryptHash],
  ["argon2id", parseArgon2Hash],
  ["argon2i", parseArgon2Hash],
  ["argon2d", parseArgon2Hash],
  ["5", parseShaCryptHash],
  ["6", parseShaCryptHash],
]);

/** @throws {Error} that says why a text is no hash that can be used, and does not quote it */
export function parsePasswordHash(text: string): PasswordHash {
  const [, kind = ""] = /^\$([^$]*)\$/.exec(text) ?? [];
  const parse = PARSERS.get(kind);
  if (parse === undefined) throw new Error("the hash is not of a kind that can be used");
  return parse(text);
}

/**
 * Whether a password is the one that was hashed. It is not when it has more bytes than the algorithm looks at, or a NUL,
 * which some programs take for the end: another password would do as well then. All that takes the same time.
 *
 * @param signal fires when nobody waits for the answer any more
 */
export async function matchesHash(password: string, known: PasswordHash, signal?: AbortSignal): Promise<boolean> {
  const bytes = Buffer.from(password, "utf8");
  const isLookedAtWhole = bytes.length <= known.maxPasswordLength && !bytes.includes(0);
  const isRight = await known.matches(bytes.subarray(0, known.maxPasswordLength), signal);
  return isRight && isLookedAtWhole;
}
