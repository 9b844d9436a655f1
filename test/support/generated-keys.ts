import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

type Generate = (type: string, options: object) => { readonly publicKey: Buffer; readonly privateKey: Buffer };

/** A new key pair of any type of node:crypto, which may be exported: src/crypto/keys/generated-key.ts says why. */
export function generateKeys(type: string, options: object = {}): { publicKey: KeyObject; privateKey: KeyObject } {
  const keys = (generateKeyPairSync as unknown as Generate)(type, {
    ...options,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  return {
    publicKey: createPublicKey({ key: keys.publicKey, type: "spki", format: "der" }),
    privateKey: createPrivateKey({ key: keys.privateKey, type: "pkcs8", format: "der" }),
  };
}
