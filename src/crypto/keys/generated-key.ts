import { createPrivateKey, type KeyObject } from "node:crypto";

/** The formats in which `generateKeyPairSync` writes new keys, for `readGeneratedKey`. */
export const GENERATED_KEY_ENCODING = {
  publicKeyEncoding: { type: "spki", format: "der" },
  privateKeyEncoding: { type: "pkcs8", format: "der" },
} as const;

/**
 * The key that was generated, with nothing left of its making. A KeyObject straight from `generateKeyPairSync` shares a
 * lock with the job that made it: when the garbage collector removes the job while the key is being exported, it waits
 * for that lock for ever, and the process with it (seen in Node.js 20.20).
 *
 * @param pkcs8 erased
 */
export function readGeneratedKey(pkcs8: Buffer): KeyObject {
  try {
    return createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  } finally {
    pkcs8.fill(0);
  }
}
