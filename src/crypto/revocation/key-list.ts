import { linesOf } from "../../base/text-lines.js";
import type { Steps } from "../../base/time-slices.js";
import { KeyError } from "../keys/key-error.js";
import { PKey } from "../pkey/pkey.js";
import type { RevocableKey } from "./revocable-key.js";
import { noEntries, type RevocationEntries, setKey } from "./revocation-entries.js";

/**
 * Reads a text with one public key a line, as RevokedKeys in sshd_config(5) takes it. Empty lines and those that start
 * with `#` are comments. A certificate stands for the key that it certifies. A long text takes seconds, so a line
 * is a step.
 *
 * @throws {KeyError} when any other line cannot be read, with its number
 */
export function* readKeyList(text: string): Steps<RevocationEntries> {
  const entries = noEntries();
  let number = 0;
  for (const raw of linesOf(text)) {
    yield;
    number++;
    const line = raw.replace(/^[ \t]+/, "");
    if (line.startsWith("#")) continue;
    const content = withoutEnd(line);
    if (content !== "") addLine(content, number, entries);
  }
  return entries;
}

/** Without blanks at its end. A regular expression would look for them from each blank in the line. */
function withoutEnd(line: string): string {
  let end = line.length;
  while (end > 0 && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(0, end);
}

function isBlank(character: number): boolean {
  return character === 0x20 || character === 0x09 || character === 0x0d;
}

function addLine(line: string, number: number, entries: RevocationEntries): void {
  try {
    if (line.includes("\0")) throw new KeyError("malformed", "it holds a NUL");
    const key: RevocableKey = PKey.fromString(line);
    entries.keys.add(setKey(key.certificate?.publicKey.publicBlob ?? key.publicBlob));
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    // No such key gets in anyway, and OpenSSH passes over it too. Of a certificate, its authority's key may be what is
    // weak, while the key that was meant is not.
    if (error.code === "weak" && /^ssh-rsa[ \t]/.test(line)) return;
    throw new KeyError(error.code, `line ${number} of the list of revoked keys: ${error.message}`, { cause: error });
  }
}
