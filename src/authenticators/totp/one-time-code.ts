import { createHmac } from "node:crypto";

/** The hash with which a code is computed. Most authenticator apps know `sha1` only, and HMAC is sound with it. */
export type TotpAlgorithm = "sha1" | "sha256" | "sha512";

/** The parameters of the codes that an app shows. */
export interface TotpParameters {
  readonly algorithm: TotpAlgorithm;
  /** 6 to 8 */
  readonly digits: number;
  /** The time that a code is shown, seconds. */
  readonly period: number;
}

/**
 * The code of a time step: HOTP (RFC 4226 §5.3) with the step as the counter, which makes it TOTP (RFC 6238 §4).
 *
 * @param step whole periods since 1970
 */
export function oneTimeCode(secret: Buffer, step: number, { algorithm, digits }: TotpParameters): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac(algorithm, secret).update(counter).digest();
  const offset = digest.readUInt8(digest.length - 1) & 0x0f;
  const truncated = digest.readUInt32BE(offset) & 0x7fff_ffff;
  return String(truncated % 10 ** digits).padStart(digits, "0");
}
