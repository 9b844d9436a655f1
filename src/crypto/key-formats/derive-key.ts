import { pbkdf } from "bcrypt-pbkdf";
import { KeyError } from "../keys/key-error.js";
import { BCRYPT_MAXIMUM_ROUNDS } from "./passphrase.js";

/** OpenSSH writes 16 bytes. */
const SALT_MAXIMUM_LENGTH = 1024;

/**
 * `length` bytes derived from a passphrase by bcrypt_pbkdf, the KDF named "bcrypt" in OpenSSH's PROTOCOL.key.
 *
 * @throws {KeyError} `malformed` or `unsupported` when salt or rounds cannot be used, before any work is done
 */
export function deriveKey(passphrase: Buffer, salt: Buffer, rounds: number, length: number): Buffer {
  if (salt.length === 0 || salt.length > SALT_MAXIMUM_LENGTH || rounds === 0) {
    throw new KeyError("malformed", "the private key has KDF options that are not valid");
  }
  if (rounds > BCRYPT_MAXIMUM_ROUNDS) {
    throw new KeyError(
      "unsupported",
      `the private key asks for ${rounds} rounds of bcrypt: it may ask for at most ${BCRYPT_MAXIMUM_ROUNDS}`,
    );
  }
  const key = Buffer.alloc(length);
  if (pbkdf(passphrase, passphrase.length, salt, salt.length, key, length, rounds) !== 0) {
    throw new KeyError("malformed", "the private key has KDF options that are not valid");
  }
  return key;
}
