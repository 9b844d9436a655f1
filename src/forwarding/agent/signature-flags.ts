import { certificateNameOf } from "../../crypto/certificates/certificate-names.js";

/** Choose the hash of an RSA key's signature, which is SHA-1 without them (RFC 9987 §8.3). */
const RSA_FLAGS: readonly (readonly [algorithm: string, flag: number])[] = [
  ["rsa-sha2-256", 2],
  ["rsa-sha2-512", 4],
];

const flags: ReadonlyMap<string, number> = new Map(
  RSA_FLAGS.flatMap(([algorithm, flag]) => [
    [algorithm, flag],
    [certificateNameOf(algorithm), flag],
  ]),
);

/** The flags of a request to sign with an algorithm; other keys than those of RSA have only one each. */
export function signatureFlags(algorithm: string): number {
  return flags.get(algorithm) ?? 0;
}
