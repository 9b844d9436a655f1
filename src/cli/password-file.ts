import { createHmac, randomBytes } from "node:crypto";
import { Semaphore } from "../sftp/semaphore.js";
import { describeError } from "./errors.js";
import { requirePrivate, requireTrusted } from "./file-permissions.js";
import { matchesHash, type PasswordHash, parsePasswordHash } from "./password-hash.js";
import { type RefusedLine, readUserFile } from "./user-file.js";

/** Passwords that are looked at together: two threads of Node's four are left to files. */
const CHECKS_AT_ONCE = 2;

export interface PasswordFile {
  /** By the name of the user. */
  readonly hashes: ReadonlyMap<string, PasswordHash>;
  readonly refused: readonly RefusedLine[];
}

/**
 * Reads a file of users, `name:hash` a line.
 *
 * @throws {StartError} when the file cannot be read, or other users can read or write it
 */
export async function readPasswordFile(path: string): Promise<PasswordFile> {
  const text = await readUserFile("password file", path, (stats) => {
    requireTrusted(path, stats);
    requirePrivate(path, stats);
  });
  return parsePasswordFile(text);
}

/**
 * Empty lines and lines that start with `#` are comments. A line that cannot be used lets nobody in, and neither do
 * several lines for one user: nobody knows which of them was meant to count.
 */
export function parsePasswordFile(text: string): PasswordFile {
  const entries: { readonly line: number; readonly name: string; readonly hash: string }[] = [];
  const refused: RefusedLine[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const content = raw.trim();
    if (content === "" || content.startsWith("#")) continue;
    const [, name, hash] = /^([^:\p{Cc}]+):(.+)$/u.exec(content) ?? [];
    if (name === undefined || hash === undefined) refused.push({ line: index + 1, reason: "it is not name:hash" });
    else entries.push({ line: index + 1, name, hash });
  }
  const lineCounts = new Map<string, number>();
  for (const { name } of entries) lineCounts.set(name, (lineCounts.get(name) ?? 0) + 1);
  const hashes = new Map<string, PasswordHash>();
  for (const { line, name, hash } of entries) {
    try {
      if (lineCounts.get(name) !== 1) throw new Error("there is another line for this user");
      hashes.set(name, parsePasswordHash(hash));
    } catch (error) {
      refused.push({ line, reason: describeError(error) });
    }
  }
  return { hashes, refused: refused.sort((one, other) => one.line - other.line) };
}

/** The users of a password file. How long an answer takes does not tell which names are among them. */
export class HashedPasswords {
  readonly #hashes: ReadonlyMap<string, PasswordHash>;
  readonly #checks = new Semaphore(CHECKS_AT_ONCE);
  readonly #secret = randomBytes(32);

  /** @param hashes of one user at least, by name */
  constructor(hashes: ReadonlyMap<string, PasswordHash>) {
    this.#hashes = hashes;
  }

  /** @param signal fires when nobody waits for the answer any more: what is not yet begun is not worth the work then */
  async matches(name: string, password: string, signal?: AbortSignal): Promise<boolean> {
    const known = this.#hashes.get(name);
    const hash = known ?? this.#substitute(name);
    if (hash === undefined) return false;
    const isRight = await this.#checks.run(async () => signal?.aborted !== true && matchesHash(password, hash));
    return isRight && known !== undefined;
  }

  /** The hash of some user, for a name that is none's: it costs what theirs may, and the same each time. */
  #substitute(name: string): PasswordHash | undefined {
    const number = createHmac("sha256", this.#secret).update(name).digest().readUInt32BE();
    return [...this.#hashes.values()][number % this.#hashes.size];
  }
}
