import { isError } from "./is-error.js";

/** Characters of a text from the client that go into the log. */
const MAX_LOGGED_LENGTH = 256;

/** The same of a path or a command, whose end tells as much as its beginning: a path has 4096 bytes at most. */
const MAX_LOGGED_PATH_LENGTH = 4096;

/** A text from the client for the log: cut, and with its control characters escaped, also those of bidirectional text. */
export function loggedText(text: string): string {
  return escaped(cut(text, MAX_LOGGED_LENGTH));
}

/** The same for paths and commands, which may be longer. */
export function loggedPath(path: string): string {
  return escaped(cut(path, MAX_LOGGED_PATH_LENGTH));
}

/** Bytes from the client, each a character of Latin-1, for the log: cut, and escaped where they are not US-ASCII. */
export function loggedBytes(bytes: string): string {
  return cut(bytes, MAX_LOGGED_LENGTH).replace(/[^\x20-\x7e…]/g, (byte) => `\\x${codeOf(byte).padStart(2, "0")}`);
}

/**
 * An error for the log whose message may hold a text of a client: an error of the file system has the path in its message and in
 * its stack.
 */
export function loggedError(error: unknown): unknown {
  if (!isError(error)) return error;
  const message = loggedPath(error.message);
  if (message === error.message) return error;
  const code: unknown = Reflect.get(error, "code");
  return Object.assign(new Error(message), { name: error.name }, code === undefined ? {} : { code });
}

function escaped(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${codeOf(character)}}`);
}

function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16);
}
