import { KeyError, type KeyErrorCode } from "../../../src/crypto/keys/key-error.js";

/** The code of the KeyError that `use` throws; another error passes, and none gives undefined. */
export function codeOf(use: () => unknown): KeyErrorCode | undefined {
  try {
    use();
    return undefined;
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    if (error.message.includes("\n")) throw new Error("the message of a KeyError has more than one line");
    return error.code;
  }
}
