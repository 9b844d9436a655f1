import type { SecurityKeySignature } from "../crypto/keys/security-keys.js";
import type { PKey } from "../crypto/pkey/pkey.js";

/** A key whose private half the client holds. Only a signature that was verified makes one. */
export class ProvenKey {
  readonly #key: PKey;
  readonly #securityKey: SecurityKeySignature | undefined;

  private constructor(key: PKey, securityKey: SecurityKeySignature | undefined) {
    this.#key = key;
    this.#securityKey = securityKey;
  }

  /**
   * @param algorithm as the request names it
   * @returns `undefined` where the signature is not one of this key and these data
   */
  static verify(key: PKey, data: Buffer, signature: Buffer, algorithm: string): ProvenKey | undefined {
    const verified = key.verifySignature(data, signature, algorithm);
    return verified && new ProvenKey(key, verified.securityKey);
  }

  get key(): PKey {
    return this.#key;
  }

  /** The statements of a FIDO key in its signature. */
  get securityKey(): SecurityKeySignature | undefined {
    return this.#securityKey;
  }
}
