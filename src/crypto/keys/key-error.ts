/**
 * Why a key could not be used:
 * - `unreadable`, `unwritable`: the file could not be read or written;
 * - `exists`: a file is already there and was not to be replaced;
 * - `malformed`: the bytes are damaged, inconsistent, or not a key at all;
 * - `unsupported`: a key, format or algorithm that this library does not handle;
 * - `weak`: a key too small to be safe;
 * - `passphrase-required`: the key is encrypted and no passphrase was given;
 * - `wrong-passphrase`: the passphrase does not open it (or the encrypted bytes are damaged, which looks the same);
 * - `public-only`: the private half was asked for and is not there.
 */
export type KeyErrorCode =
  | "unreadable"
  | "unwritable"
  | "exists"
  | "malformed"
  | "unsupported"
  | "weak"
  | "passphrase-required"
  | "wrong-passphrase"
  | "public-only";

/** A key cannot be read, written or used. The message is one line and never holds key material. */
export class KeyError extends Error {
  override readonly name: string = "KeyError";
  /** The kind of the failure, for programs. */
  readonly code: KeyErrorCode;

  constructor(code: KeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Runs `importKey` and reports any error that it throws as a malformed key. For calls of `node:crypto` with untrusted
 * bytes; its error is dropped on purpose, because such messages can quote their input.
 */
export function malformedIfThrown<T>(message: string, importKey: () => T): T {
  try {
    return importKey();
  } catch {
    throw new KeyError("malformed", message);
  }
}

export function passphraseRequired(): KeyError {
  return new KeyError("passphrase-required", "the private key is encrypted: its passphrase is needed");
}

export function wrongPassphrase(): KeyError {
  return new KeyError("wrong-passphrase", "the passphrase does not open the private key, or the key is damaged");
}
