import type { Reader } from "../../protocol/reader.js";
import { KeyError } from "../keys/key-error.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** U+DC80 to U+DCFF, halves of surrogate pairs, stand for the bytes 80 to FF of a text that is not UTF-8. */
const ESCAPED_BYTE = 0xdc00;

/**
 * The text in `bytes`. Bytes that are not UTF-8 give a text that none in UTF-8 gives, and each such sequence of bytes
 * its own: so texts compare as the bytes do, and no user name can be equal to it.
 */
export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    const characters = Buffer.allocUnsafe(2 * bytes.length);
    for (const [index, byte] of bytes.entries()) {
      characters.writeUInt16LE(byte < 0x80 ? byte : ESCAPED_BYTE + byte, 2 * index);
    }
    return characters.toString("utf16le");
  }
}

/**
 * A string without NUL, where C programs would see its end.
 *
 * @throws {KeyError} `malformed`
 * @throws {ProtocolError} from the Reader
 */
export function readWithoutNul(fields: Reader, what: string): Buffer {
  const bytes = fields.readString();
  if (bytes.includes(0)) throw new KeyError("malformed", `the ${what} of a certificate holds a NUL`);
  return bytes;
}
