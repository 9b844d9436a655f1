/** What a revocation list looks at in an OpenSSH certificate. */
export interface RevocableCertificate {
  /** 0 when the authority gave none; no list revokes that by its number. */
  readonly serial: bigint;
  readonly keyIdBytes: Buffer;
  /** The plain key of the authority. */
  readonly signatureKey: { readonly publicBlob: Buffer };
  /** The plain key that is certified. */
  readonly publicKey: { readonly publicBlob: Buffer };
}

/** What a revocation list looks at in a key; a `PKey` is one. */
export interface RevocableKey {
  /** RFC 4253 §6.6; of a certificate, all of it. */
  readonly publicBlob: Buffer;
  readonly certificate?: RevocableCertificate | undefined;
}
