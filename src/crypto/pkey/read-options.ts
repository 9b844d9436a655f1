import { checkOptions } from "../../base/option-checks.js";
import { passphraseBytes } from "../key-formats/passphrase.js";

/** Options of `PKey.fromFile` and `PKey.fromString`. */
export interface ReadOptions {
  /** Bytes, or a text taken as UTF-8. Not used, and no error, for a key that is not encrypted. */
  readonly passphrase?: string | Uint8Array;
}

/** @throws {ConfigurationError} when an option does not exist, or is of a wrong kind */
export function checkReadOptions(options: ReadOptions): ReadOptions {
  const given = checkOptions(options, ["passphrase"]);
  passphraseBytes(given.passphrase);
  return given;
}
