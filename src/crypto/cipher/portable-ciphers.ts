import { aes128ctr, aes192ctr, aes256ctr } from "./aes-ctr.js";
import { aes128gcm, aes256gcm } from "./aes-gcm.js";
import { chacha20poly1305 } from "./chacha20-poly1305.js";
import type { CipherAlgorithm } from "./packet-cipher.js";

/** Every cipher as it is without the addon, the preferred first. */
export const portableCiphers: readonly CipherAlgorithm[] = [
  chacha20poly1305,
  aes128gcm,
  aes256gcm,
  aes128ctr,
  aes192ctr,
  aes256ctr,
];
