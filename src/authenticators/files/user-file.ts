import type { BigIntStats } from "node:fs";
import { constants, open } from "node:fs/promises";
import { requirePrivate, requireTrusted } from "./file-permissions.js";
import { UserFileError } from "./user-file-error.js";

/** Bytes; a line of a user has about a hundred. */
const MAX_LENGTH = 16 * 1024 * 1024;

/** Milliseconds. Of a file that has just been changed, a later change may be in the same tick of the file system's clock. */
const CLOCK_TICK = 2_000;

export interface UserFile {
  /** What the file is called in messages. */
  readonly kind: string;
  readonly path: string;
  /** `private` if what is in it is nobody else's business: others must not read it either. */
  readonly secrecy: "public" | "private";
  /** `once` if it may be a pipe, too, and is waited for; one that is read `again` has to be a regular file. */
  readonly reading: "once" | "again";
}

/** What a file is, as far as that tells whether it has changed. */
export interface UserText {
  readonly text: string;
  /** Absent when a change could go unnoticed. */
  readonly version?: string;
}

/**
 * Reads a file that says who may log in.
 *
 * @param known version that need not be read again: gives `undefined` then
 * @throws {UserFileError} when it cannot be read, or others could have changed what is in it
 */
export async function readUserFile(file: UserFile, known?: string): Promise<UserText | undefined> {
  try {
    return await read(file, known);
  } catch (error) {
    if (error instanceof UserFileError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserFileError(`${file.kind} ${file.path} cannot be read: ${reason}`, { cause: error });
  }
}

async function read(file: UserFile, known: string | undefined): Promise<UserText | undefined> {
  const { kind, path, secrecy, reading } = file;
  // Otherwise a named pipe would keep a thread until somebody writes to it.
  const handle = await open(path, constants.O_RDONLY | (reading === "again" ? constants.O_NONBLOCK : 0));
  try {
    const stats = await handle.stat({ bigint: true });
    if (reading === "again" && !stats.isFile()) throw new UserFileError(`${kind} ${path} is not a regular file`);
    requireTrusted(path, stats);
    if (secrecy === "private") requirePrivate(path, stats);
    const version = versionOf(stats);
    if (version === known) return undefined;
    if (stats.size > MAX_LENGTH) throw new UserFileError(`${kind} ${path} is over ${MAX_LENGTH} bytes long`);
    const text = await handle.readFile("utf8");
    return Date.now() - Number(stats.ctimeMs) > CLOCK_TICK ? { text, version } : { text };
  } finally {
    await handle.close();
  }
}

function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}
