import { getCipherInfo } from "node:crypto";
import { aes128ctr, aes192ctr, aes256ctr } from "./aes-ctr.js";
import { aes128gcm, aes256gcm } from "./aes-gcm.js";
import { chacha20poly1305 } from "./chacha20-poly1305.js";
import type { CipherAlgorithm } from "./packet-cipher.js";

/** Every cipher as it is without the addon, the preferred first. ChaCha20 is not there in FIPS builds of Node.js, and in Bun. */
export const portableCiphers: readonly CipherAlgorithm[] = [
  ...(getCipherInfo("chacha20") === undefined ? [] : [chacha20poly1305]),
  aes128gcm,
  aes256gcm,
  aes128ctr,
  aes192ctr,
  aes256ctr,
];
