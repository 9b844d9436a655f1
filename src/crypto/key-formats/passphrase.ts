import { checkText } from "../../base/option-checks.js";

/**
 * Rounds of bcrypt that are still run, about 13 ms each on the main thread. `ssh-keygen` writes 16 or 24, people who
 * follow guides a few hundred.
 */
export const BCRYPT_MAXIMUM_ROUNDS = 1024;

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
