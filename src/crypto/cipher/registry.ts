import { aes128ctr, aes192ctr, aes256ctr } from "./aes-ctr.js";
import { aes128gcm, aes256gcm } from "./aes-gcm.js";
import { chacha20poly1305 } from "./chacha20-poly1305.js";
import { hmacSha256, hmacSha256Etm, hmacSha512, hmacSha512Etm } from "./hmac.js";
import type { CipherAlgorithm, MacAlgorithm } from "./packet-cipher.js";

/** Every cipher, the preferred first. */
export const cipherAlgorithms: ReadonlyMap<string, CipherAlgorithm> = new Map(
  [chacha20poly1305, aes128gcm, aes256gcm, aes128ctr, aes192ctr, aes256ctr].map((algorithm) => [
    algorithm.name,
    algorithm,
  ]),
);

/** Every MAC, the preferred first. */
export const macAlgorithms: ReadonlyMap<string, MacAlgorithm> = new Map(
  [hmacSha256Etm, hmacSha512Etm, hmacSha256, hmacSha512].map((algorithm) => [algorithm.name, algorithm]),
);
