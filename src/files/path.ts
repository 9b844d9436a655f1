import { isUtf8 } from "node:buffer";
import { FileError } from "./errors.js";

// Names are bytes on the wire and on most disks. Here they are strings: UTF-8, and each byte that is not stands as a
// lone surrogate, U+DC80 to U+DCFF. No text in UTF-8 decodes to one, so that every name survives a round trip.

const FIRST_ESCAPE = 0xdc80;
const LAST_ESCAPE = 0xdcff;
const MAX_CHARACTER = 0x10ffff;

/** Most bytes of a path: PATH_MAX of Linux without its final NUL. */
export const MAX_PATH_LENGTH = 4095;

/** The string that stands for the bytes of a name or path. */
export function decodeName(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString("utf8");
  let text = "";
  for (let offset = 0; offset < buffer.length; ) {
    const code = readCharacter(buffer, offset);
    text += String.fromCodePoint(code ?? FIRST_ESCAPE - 0x80 + buffer.readUInt8(offset));
    offset += code === undefined ? 1 : encodedLength(code);
  }
  return text;
}

/**
 * The bytes that a string stands for.
 *
 * @throws {FileError} for a string that stands for no bytes: with a surrogate that is neither an escape nor in a pair
 */
export function encodeName(text: string): Buffer {
  if (isWellFormed(text)) return Buffer.from(text, "utf8");
  const bytes = Buffer.alloc(text.length * 3);
  let length = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= FIRST_ESCAPE && code <= LAST_ESCAPE) bytes[length++] = code - FIRST_ESCAPE + 0x80;
    else if (isSurrogate(code)) throw new FileError("EINVAL");
    else length += bytes.write(character, length, "utf8");
  }
  return bytes.subarray(0, length);
}

/**
 * A path as a client sends it.
 *
 * @throws {FileError} when it holds a NUL or is too long for any file system
 */
export function decodePath(bytes: Uint8Array): string {
  if (bytes.length > MAX_PATH_LENGTH) throw new FileError("ENAMETOOLONG");
  if (bytes.includes(0)) throw new FileError("EINVAL");
  return decodeName(bytes);
}

/** The names that lead from the root to what a path names; `..` stays where it is, for it may stand behind a link. */
export function splitPath(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** A canonical path: absolute, without `.`, `..`, empty names or a slash at its end. `..` of the root is the root. */
export function normalizePath(path: string): string {
  const names: string[] = [];
  for (const name of splitPath(path)) {
    if (name === "..") names.pop();
    else names.push(name);
  }
  return `/${names.join("/")}`;
}

/** @param directory canonical */
export function joinPath(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** The directory that a canonical path lies in; the root lies in itself. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

/** The last name of a canonical path; empty for the root. */
export function lastName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Whether a name is that of the directory itself, or of the one above it. */
export function isDots(name: string): boolean {
  return name === "." || name === "..";
}

/** Whether a canonical path is `directory` or lies in it. */
export function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** The character of UTF-8 at `offset` (RFC 3629 §3); `undefined` where the bytes are not one. */
function readCharacter(bytes: Buffer, offset: number): number | undefined {
  const first = bytes.readUInt8(offset);
  if (first < 0x80) return first;
  if (first < 0xc0 || first >= 0xf8) return undefined;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let code = first & (0x7f >> length);
  for (let index = offset + 1; index < offset + length; index++) {
    const next = bytes[index] ?? 0;
    if (next >> 6 !== 0b10) return undefined;
    code = (code << 6) | (next & 0x3f);
  }
  const isCharacter = code <= MAX_CHARACTER && !isSurrogate(code) && encodedLength(code) === length;
  return isCharacter ? code : undefined;
}

/** Bytes that a character takes in UTF-8. */
function encodedLength(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}
