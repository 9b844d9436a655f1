import { createCipheriv } from "node:crypto";
import { putBack } from "./put-back.js";

/**
 * XORs `data`, in place, with the key stream of ChaCha20 as it was first published: a 64-bit nonce (8 bytes) and a
 * 64-bit block counter, starting at block `counter`. `key` is 32 bytes.
 */
export type ChaCha20 = (data: Buffer, nonce: Buffer, counter: number, key: Buffer) => void;

export const chacha20: ChaCha20 = (data, nonce, counter, key) => {
  opensslIv.writeUInt32LE(counter, 0);
  opensslIv.set(nonce, 8);
  putBack(createCipheriv("chacha20", key, opensslIv).update(data), data, 0);
};

/** OpenSSL takes the block counter (64 bits, little-endian) and the nonce as one IV. */
const opensslIv = Buffer.alloc(16);
