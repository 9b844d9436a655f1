import { pbkdf } from "bcrypt-pbkdf";
import { checkText } from "../../base/option-checks.js";
import { KeyError } from "../keys/key-error.js";

/**
 * Rounds of bcrypt that are still run, about 13 ms each on the main thread. `ssh-keygen` writes 16 or 24, people who
 * follow guides a few hundred.
 */
export const BCRYPT_MAXIMUM_ROUNDS = 1024;
/** OpenSSH writes 16 bytes. */
const SALT_MAXIMUM_LENGTH = 1024;

/**
 * A passphrase as its bytes; a text is UTF-8. Undefined without one: an empty one does not count, as in ssh-keygen.
 *
 * @throws {ConfigurationError} when it is neither a text nor bytes
 */
export function passphraseBytes(passphrase: string | Uint8Array | undefined): Buffer | undefined {
  if (passphrase === undefined) return undefined;
  const bytes = passphrase instanceof Uint8Array ? passphrase : checkText("passphrase", passphrase, "a text or bytes");
  return bytes.length === 0 ? undefined : Buffer.from(bytes);
}

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
