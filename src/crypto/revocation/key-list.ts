import { KeyError } from "../keys/key-error.js";
import { PKey } from "../keys/pkey.js";
import type { RevocableKey } from "./revocable-key.js";
import { noEntries, type RevocationEntries, setKey } from "./revocation-entries.js";

/**
 * Reads a text with one public key a line, as RevokedKeys in sshd_config(5) takes it. Empty lines and those that start
 * with `#` are comments. A certificate stands for the key that it certifies.
 *
 * @throws {KeyError} when any other line cannot be read, with its number
 */
export function readKeyList(text: string): RevocationEntries {
  const entries = noEntries();
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/^[ \t]+/, "").replace(/[ \t\r]+$/, "");
    if (line !== "" && !line.startsWith("#")) addLine(line, index + 1, entries);
  }
  return entries;
}

function addLine(line: string, number: number, entries: RevocationEntries): void {
  try {
    if (line.includes("\0")) throw new KeyError("malformed", "it holds a NUL");
    const key: RevocableKey = PKey.fromString(line);
    entries.keys.add(setKey(key.certificate?.publicKey.publicBlob ?? key.publicBlob));
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    // No such key gets in anyway, and OpenSSH passes over it too.
    if (error.code === "weak") return;
    throw new KeyError(error.code, `line ${number} of the list of revoked keys: ${error.message}`, { cause: error });
  }
}
