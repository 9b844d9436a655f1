import { findPackage } from "../../base/optional-package.js";

/** The functions of libsodium that are used. Outputs come first; `cipher` and `message` may be the same bytes. */
export interface Sodium {
  crypto_stream_chacha20_xor_ic(cipher: Buffer, message: Buffer, nonce: Buffer, counter: number, key: Buffer): void;
  crypto_onetimeauth(tag: Buffer, message: Buffer, key: Buffer): void;
}

/**
 * `sodium-native`, an optional dependency: `undefined` where it is not installed or has no binary for this platform.
 */
export const sodium = findPackage<Sodium>("sodium-native");
