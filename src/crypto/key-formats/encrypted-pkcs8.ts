import { KeyError } from "../keys/key-error.js";
import { decodeBase64 } from "./base64.js";

/** DER tags (X.690). */
const INTEGER = 0x02;
const SEQUENCE = 0x30;
/** The deepest real one is 4: PBES2, its KDF, the KDF's parameters, the KDF's hash. */
const MAXIMUM_DEPTH = 8;
/**
 * The largest product of all numbers among the parameters: iterations and key length for PBKDF2, N, r, p and key
 * length for scrypt. OpenSSL sets no limit; this one lets a million iterations pass and ends within a minute.
 */
const MAXIMUM_COST = 2 ** 26;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** The bytes after the element. */
  readonly rest: Buffer;
}

/**
 * Refuses an EncryptedPrivateKeyInfo (RFC 5958 §3) whose parameters would keep OpenSSL busy for hours.
 *
 * @throws {KeyError} `unsupported` for such parameters, `malformed` when they cannot be read
 */
export function checkEncryptionCost(base64: string): void {
  const bytes = decodeBase64(base64);
  if (bytes === undefined) throw new KeyError("malformed", "the private key is not valid base64");
  const algorithm = readElement(sequence(readElement(bytes)));
  if (cost(sequence(algorithm), MAXIMUM_DEPTH) > MAXIMUM_COST) {
    throw new KeyError("unsupported", "the private key is encrypted with more iterations than this library runs");
  }
}

function sequence({ tag, content }: Element): Buffer {
  if (tag !== SEQUENCE) throw malformed();
  return content;
}

/** The product of the integers in `elements` and inside them. */
function cost(elements: Buffer, depth: number): number {
  if (depth === 0) throw malformed();
  let product = 1;
  for (let rest = elements; rest.length > 0; ) {
    const element = readElement(rest);
    rest = element.rest;
    if (element.tag === INTEGER) product *= Math.max(1, Number(`0x0${element.content.toString("hex")}`));
    if (element.tag === SEQUENCE) product *= cost(element.content, depth - 1);
  }
  return product;
}

/** One element with a definite length of up to three bytes, which is more than a key needs. */
function readElement(bytes: Buffer): Element {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) throw malformed();
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = 2 + lengthBytes;
  if (first === 0x80 || lengthBytes > 3 || start > bytes.length) throw malformed();
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  if (length > bytes.length - start) throw malformed();
  return { tag, content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}

function malformed(): KeyError {
  return new KeyError("malformed", "the private key is damaged");
}
