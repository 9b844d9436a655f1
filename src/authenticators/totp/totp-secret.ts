import { randomBytes } from "node:crypto";
import { ConfigurationError } from "../../base/configuration-error.js";
import { messageOf } from "../../base/is-error.js";
import { checkOptions, checkText } from "../../base/option-checks.js";
import { decodeBase32, encodeBase32 } from "./base32.js";
import { resolveTotpParameters, type TotpCodeOptions } from "./totp-options.js";

/** Bytes; RFC 4226 §4 asks for 128 bits at least. */
const MIN_LENGTH = 16;
const MAX_LENGTH = 128;
/** As long as the hash is (RFC 6238 §5.1 with RFC 2104 §3). */
const NEW_LENGTHS = { sha1: 20, sha256: 32, sha512: 64 } as const;

/**
 * Makes a secret for an authenticator app.
 *
 * @returns base32
 * @throws {ConfigurationError} when the algorithm does not exist
 */
export function newTotpSecret(options: Pick<TotpCodeOptions, "algorithm"> = {}): string {
  return encodeBase32(randomBytes(NEW_LENGTHS[resolveTotpParameters(checkOptions(options, ["algorithm"])).algorithm]));
}

/** @throws {Error} that tells why a text cannot be used as a secret, and does not quote it */
export function parseTotpSecret(text: string): Buffer {
  const secret = decodeBase32(text);
  if (secret.length >= MIN_LENGTH && secret.length <= MAX_LENGTH) return secret;
  throw new Error(`the secret has ${secret.length} bytes, not ${MIN_LENGTH} to ${MAX_LENGTH}`);
}

/** Options of `otpauthUri`. */
export interface OtpauthUriOptions extends TotpCodeOptions {
  /** The name of the service, as apps show it. */
  readonly issuer: string;
  /** The name of the account, as apps show it beside the issuer. */
  readonly username: string;
  /** Base32. */
  readonly secret: string;
}

/**
 * The address that authenticator apps read from a QR code, `otpauth://totp/…`. It holds the secret.
 *
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function otpauthUri(given: OtpauthUriOptions): string {
  const names = ["issuer", "username", "secret", "algorithm", "digits", "period"] as const;
  const { issuer, username, secret, ...options } = checkOptions(given, names);
  const { algorithm, digits, period } = resolveTotpParameters(options);
  for (const [option, text] of Object.entries({ issuer, username })) {
    if (checkText(option, text) === "" || text.includes(":"))
      throw new ConfigurationError(option, "must be a text without a colon");
  }
  const parameters = [
    ["secret", encodeBase32(requireSecret(checkText("secret", secret)))],
    ["issuer", issuer],
    ["algorithm", algorithm.toUpperCase()],
    ["digits", `${digits}`],
    ["period", `${period}`],
  ] as const;
  const query = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(username)}?${query}`;
}

function requireSecret(text: string): Buffer {
  try {
    return parseTotpSecret(text);
  } catch (error) {
    throw new ConfigurationError("secret", messageOf(error), { cause: error });
  }
}
