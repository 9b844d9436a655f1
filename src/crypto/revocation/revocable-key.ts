/** The parts of an OpenSSH certificate that a revocation list looks at. */
export interface RevocableCertificate {
  /** 0 when the authority gave no number; no list revokes such a certificate by its number. */
  readonly serial: bigint;
  /** The key ID, a free text of the authority, as it is encoded: it need not be UTF-8. */
  readonly keyIdBytes: Buffer;
  /** The plain key of the authority. */
  readonly signatureKey: { readonly publicBlob: Buffer };
  /** The plain key that is certified. */
  readonly publicKey: { readonly publicBlob: Buffer };
}

/** The parts of a key that a revocation list looks at; a `PKey` has them. */
export interface RevocableKey {
  /** RFC 4253 §6.6; of a certificate, all of it. */
  readonly publicBlob: Buffer;
  /** Present where the key is a certificate. */
  readonly certificate?: RevocableCertificate | undefined;
}
