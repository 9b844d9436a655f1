import { createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";
import { chacha20 } from "../cipher/chacha20.js";
import { poly1305 } from "../cipher/poly1305.js";

/** A cipher of OpenSSH private key files. */
export interface KeyFileCipher {
  /** Name in the file, the same as on the wire. */
  readonly name: string;
  /** Bytes, all three; the key and then the IV come out of the passphrase. */
  readonly keyLength: number;
  readonly ivLength: number;
  /** The length of the encrypted bytes is a multiple of this. */
  readonly blockLength: number;
  /** Bytes of the tag behind the encrypted bytes; 0 for a cipher without a tag. */
  readonly tagLength: number;
  /** Undefined when the tag is wrong. */
  decrypt(key: Buffer, iv: Buffer, bytes: Buffer, tag: Buffer): Buffer | undefined;
}

const AES_BLOCK = 16;
const DES_BLOCK = 8;

/** The ciphers that `ssh-keygen -Z` writes. */
const KEY_FILE_CIPHERS: readonly KeyFileCipher[] = [
  unauthenticated("aes128-cbc", "aes-128-cbc", 16, AES_BLOCK),
  unauthenticated("aes192-cbc", "aes-192-cbc", 24, AES_BLOCK),
  unauthenticated("aes256-cbc", "aes-256-cbc", 32, AES_BLOCK),
  unauthenticated("aes128-ctr", "aes-128-ctr", 16, AES_BLOCK),
  unauthenticated("aes192-ctr", "aes-192-ctr", 24, AES_BLOCK),
  unauthenticated("aes256-ctr", "aes-256-ctr", 32, AES_BLOCK),
  unauthenticated("3des-cbc", "des-ede3-cbc", 24, DES_BLOCK),
  aesGcm("aes128-gcm@openssh.com", "aes-128-gcm", 16),
  aesGcm("aes256-gcm@openssh.com", "aes-256-gcm", 32),
  chacha20Poly1305(),
];

const byName: ReadonlyMap<string, KeyFileCipher> = new Map(KEY_FILE_CIPHERS.map((cipher) => [cipher.name, cipher]));

export function keyFileCipherByName(name: string): KeyFileCipher | undefined {
  return byName.get(name);
}

/** The one cipher that keys are written with, as `ssh-keygen` does by default. */
export const WRITTEN_CIPHER = {
  name: "aes256-ctr",
  keyLength: 32,
  ivLength: AES_BLOCK,
  blockLength: AES_BLOCK,
  encrypt: (key: Buffer, iv: Buffer, bytes: Buffer): Buffer => createCipheriv("aes-256-ctr", key, iv).update(bytes),
} as const;

function unauthenticated(name: string, opensslName: string, keyLength: number, blockLength: number): KeyFileCipher {
  return {
    name,
    keyLength,
    ivLength: blockLength,
    blockLength,
    tagLength: 0,
    decrypt: (key, iv, bytes) => createDecipheriv(opensslName, key, iv).setAutoPadding(false).update(bytes),
  };
}

function aesGcm(name: string, opensslName: "aes-128-gcm" | "aes-256-gcm", keyLength: number): KeyFileCipher {
  const tagLength = 16;
  return {
    name,
    keyLength,
    ivLength: 12,
    blockLength: AES_BLOCK,
    tagLength,
    decrypt(key, iv, bytes, tag) {
      const decipher = createDecipheriv(opensslName, key, iv, { authTagLength: tagLength }).setAuthTag(tag);
      const clear = decipher.update(bytes);
      try {
        decipher.final();
        return clear;
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * OpenSSH PROTOCOL.chacha20poly1305 for the sequence number 0. Of the 64 bytes of key only the first half is used: the
 * other encrypts the packet length, and a file has none.
 */
function chacha20Poly1305(): KeyFileCipher {
  const halfLength = 32;
  return {
    name: "chacha20-poly1305@openssh.com",
    keyLength: 2 * halfLength,
    ivLength: 0,
    blockLength: 8,
    tagLength: 16,
    decrypt(key, _iv, bytes, tag) {
      const main = key.subarray(0, halfLength);
      const nonce = Buffer.alloc(8);
      const authenticationKey = Buffer.alloc(32);
      chacha20(authenticationKey, nonce, 0, main);
      if (!timingSafeEqual(poly1305(authenticationKey, bytes), tag)) return undefined;
      const clear = Buffer.from(bytes);
      chacha20(clear, nonce, 1, main);
      return clear;
    },
  };
}
