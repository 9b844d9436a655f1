import { aes128gcm, aes256gcm } from "./aes-gcm.js";
import { chacha20poly1305 } from "./chacha20-poly1305.js";
import type { CipherAlgorithm, MacAlgorithm } from "./packet-cipher.js";

/** Every cipher, the preferred first. */
export const cipherAlgorithms: ReadonlyMap<string, CipherAlgorithm> = new Map(
  [chacha20poly1305, aes128gcm, aes256gcm].map((algorithm) => [algorithm.name, algorithm]),
);

/** Every MAC, the preferred first. */
export const macAlgorithms: ReadonlyMap<string, MacAlgorithm> = new Map(
  (
    [
      {
        name: "hmac-sha2-256-etm@openssh.com",
        hash: "sha256",
        keyLength: 32,
        tagLength: 32,
        encryptThenMac: true,
      },
      {
        name: "hmac-sha2-512-etm@openssh.com",
        hash: "sha512",
        keyLength: 64,
        tagLength: 64,
        encryptThenMac: true,
      },
      { name: "hmac-sha2-256", hash: "sha256", keyLength: 32, tagLength: 32, encryptThenMac: false },
      { name: "hmac-sha2-512", hash: "sha512", keyLength: 64, tagLength: 64, encryptThenMac: false },
    ] as const
  ).map((algorithm) => [algorithm.name, algorithm]),
);
