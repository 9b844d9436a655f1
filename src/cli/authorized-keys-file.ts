import { PKey } from "../crypto/index.js";
import { describeError } from "./errors.js";
import { requireTrusted } from "./file-permissions.js";
import { type RefusedLine, readUserFile } from "./user-file.js";

export interface AuthorizedKeys {
  readonly keys: readonly PKey[];
  readonly refused: readonly RefusedLine[];
}

/**
 * Reads a file of public keys, one a line.
 *
 * @throws {StartError} when the file cannot be read, or other users can write it
 */
export async function readAuthorizedKeys(path: string): Promise<AuthorizedKeys> {
  return parseAuthorizedKeys(await readUserFile("authorized keys", path, (stats) => requireTrusted(path, stats)));
}

/** Empty lines and lines that start with `#` are comments; every other line is a key or refused. */
export function parseAuthorizedKeys(text: string): AuthorizedKeys {
  const keys: PKey[] = [];
  const refused: RefusedLine[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    try {
      keys.push(parseLine(line));
    } catch (error) {
      refused.push({ line: index + 1, reason: describeError(error) });
    }
  }
  return { keys, refused };
}

function parseLine(line: string): PKey {
  const [first = ""] = line.split(/\s/, 1);
  // An option restricts what the key may do; a key without its restriction would be worth more than was meant.
  if (!looksLikeKeyType(first)) throw new Error("it does not start with a key type, and options are not supported");
  return PKey.fromString(line);
}

function looksLikeKeyType(word: string): boolean {
  return /^(ssh|ecdsa|sk)-[a-z0-9-]+(@[a-z0-9.]+)?$/.test(word);
}
