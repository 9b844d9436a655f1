/**
 * The part of a host key that a server needs. `PKey` is one. A key in an HSM, a KMS or an agent is another: only `sign`
 * has to reach it.
 */
export interface HostKey {
  /** Key type as in its public blob: `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, … */
  readonly keyType: string;
  /** The public key as in RFC 4253 §6.6: a string with the type, then the key's own fields. */
  readonly publicBlob: Buffer;
  /** Signature algorithms this key can be offered with, by preference: for RSA `rsa-sha2-512`, `rsa-sha2-256`. */
  readonly signatureAlgorithms: readonly string[];
  /** The signature as in RFC 4253 §6.6: a string with the algorithm, a string with the signature. */
  sign(data: Buffer, signatureAlgorithm: string): Buffer | Promise<Buffer>;
}
