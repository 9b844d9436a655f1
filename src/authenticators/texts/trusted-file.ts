import { constants, type Stats } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";

const WRITABLE_BY_GROUP_OR_OTHERS = 0o022;
const STICKY = 0o1000;

/** Absent on systems that have no such thing. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

export interface TrustedFileOptions {
  /** Bytes. */
  readonly limit: number;
  /** With "on", nobody but root, this process's user and `owner` may be able to change the file. */
  readonly strictModes: "on" | "off";
  /** User id that may own the file and what leads to it, too. */
  readonly owner?: number | undefined;
}

/** A file says who gets in, and somebody else could have written it; or it is none that can be read. */
export class UntrustedFileError extends Error {
  override readonly name = "UntrustedFileError";
}

/**
 * Reads a file that says who gets in, and checks it as StrictModes of sshd_config(5): the file and all folders above it,
 * links resolved, belong to those who are trusted, and no group or other can write them. Other than to sshd, a folder
 * like /tmp is no fault: there nobody can replace what belongs to another.
 *
 * @returns `undefined` where there is no such file
 * @throws {UntrustedFileError} when it must not be used
 * @throws what the system says when it cannot be read
 */
export async function readTrustedFile(path: string, options: TrustedFileOptions): Promise<string | undefined> {
  const file = await openIfPresent(path);
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    // Opened without waiting, so that not even a pipe without a writer keeps anybody.
    if (!stats.isFile()) throw new UntrustedFileError("it is not a regular file");
    if (options.strictModes === "on") await requireTrusted(path, stats, options.owner);
    return (await readAtMost(file, options.limit)).toString("utf8");
  } finally {
    await file.close();
  }
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, OPEN_FLAGS);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

async function requireTrusted(path: string, opened: Stats, owner: number | undefined): Promise<void> {
  const own = process.getuid?.();
  if (own === undefined) return;
  const trusted = [0, own, ...(owner === undefined ? [] : [owner])];
  const canonical = await realpath(path);
  // What was opened has to be what stands at the end of the folders that are about to be checked.
  const there = await stat(canonical);
  if (there.dev !== opened.dev || there.ino !== opened.ino) throw new UntrustedFileError("it was replaced meanwhile");
  requireOwner("it", opened, trusted);
  if ((opened.mode & WRITABLE_BY_GROUP_OR_OTHERS) !== 0) {
    throw new UntrustedFileError(`other users can write it (mode ${octal(opened)})`);
  }
  for (let folder = dirname(canonical); ; folder = dirname(folder)) {
    const stats = await stat(folder);
    requireOwner(`the folder ${folder}`, stats, trusted);
    if ((stats.mode & WRITABLE_BY_GROUP_OR_OTHERS) !== 0 && (stats.mode & STICKY) === 0) {
      throw new UntrustedFileError(`other users can write the folder ${folder} (mode ${octal(stats)})`);
    }
    if (folder === dirname(folder)) return;
  }
}

function requireOwner(what: string, { uid }: Stats, trusted: readonly number[]): void {
  if (!trusted.includes(uid)) throw new UntrustedFileError(`${what} belongs to another user (${uid})`);
}

/** To the end, which need not be where the file's size says. */
async function readAtMost(file: FileHandle, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let total = 0; ; ) {
    const chunk = Buffer.allocUnsafe(Math.min(65_536, limit + 1 - total));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, bytesRead));
    total += bytesRead;
    if (total > limit) throw new UntrustedFileError(`it is larger than ${limit} bytes`);
  }
}

function octal({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
