/** Characters of a text from the client that go into the log. */
const MAX_LOGGED_LENGTH = 256;

/** A text from the client for the log: cut, and with its control characters escaped, also those of bidirectional text. */
export function loggedText(text: string): string {
  return cut(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${codeOf(character)}}`);
}

/** Bytes from the client, each a character of Latin-1, for the log: cut, and escaped where they are not US-ASCII. */
export function loggedBytes(bytes: string): string {
  return cut(bytes).replace(/[^\x20-\x7e…]/g, (byte) => `\\x${codeOf(byte).padStart(2, "0")}`);
}

function cut(text: string): string {
  return text.length > MAX_LOGGED_LENGTH ? `${text.slice(0, MAX_LOGGED_LENGTH)}…` : text;
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16);
}
