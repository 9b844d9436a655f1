import fs, { constants, type OpenDirOptions, type Stats } from "node:fs";
import { promisify } from "node:util";
import { systemErrorCode } from "../../base/system-error-code.js";
import { FileError, LinkInPathError } from "../errors.js";

// Calls of the operating system on plain file descriptors, as promises: cheaper than `fs.promises` and its FileHandle.
// Only the calls that say so follow a link that is the last name of a path.

/** A path as the operating system gets it: names are bytes. */
export type SystemPath = string | Buffer;

export const lstat: (path: SystemPath) => Promise<Stats> = promisify(fs.lstat);
export const lchown: (path: SystemPath, uid: number, gid: number) => Promise<void> = promisify(fs.lchown);
export const lutimes: (path: SystemPath, accessTime: number, modifyTime: number) => Promise<void> = promisify(
  fs.lutimes,
);
export const mkdir: (path: SystemPath, mode: number) => Promise<void> = promisify(fs.mkdir);
export const rename: (oldPath: SystemPath, newPath: SystemPath) => Promise<void> = promisify(fs.rename);
export const rmdir: (path: SystemPath) => Promise<void> = promisify(fs.rmdir);
export const symlink: (target: SystemPath, path: SystemPath) => Promise<void> = promisify(fs.symlink);
export const unlink: (path: SystemPath) => Promise<void> = promisify(fs.unlink);
export const readlink: (path: SystemPath, encoding: "buffer") => Promise<Buffer> = promisify(fs.readlink);

export const chmodFollowing: (path: SystemPath, mode: number) => Promise<void> = promisify(fs.chmod);
export const openFollowing: (path: SystemPath, flags: number) => Promise<number> = promisify(fs.open);
export const statFollowing: (path: SystemPath) => Promise<Stats> = promisify(fs.stat);
export const statfsFollowing: (path: SystemPath) => Promise<fs.StatsFs> = promisify(fs.statfs);
/** Names as latin1: a character for each byte. */
export const readdirFollowing: (path: SystemPath, encoding: "latin1") => Promise<string[]> = promisify(fs.readdir);
export const opendirFollowing: (path: string, options: OpenDirOptions) => Promise<fs.Dir> = promisify(fs.opendir);
/** The next entry of an open directory; `null` at its end. */
export const readEntry = (directory: fs.Dir): Promise<fs.Dirent | null> => directory.read();

export const fchmod: (descriptor: number, mode: number) => Promise<void> = promisify(fs.fchmod);
export const fchown: (descriptor: number, uid: number, gid: number) => Promise<void> = promisify(fs.fchown);
export const fstat: (descriptor: number) => Promise<Stats> = promisify(fs.fstat);
export const fsync: (descriptor: number) => Promise<void> = promisify(fs.fsync);
export const ftruncate: (descriptor: number, size: number) => Promise<void> = promisify(fs.ftruncate);
export const futimes: (descriptor: number, accessTime: number, modifyTime: number) => Promise<void> = promisify(
  fs.futimes,
);
export const close: (descriptor: number) => Promise<void> = promisify(fs.close);

const WITHOUT_SIDE_EFFECTS = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Opens without waiting: a FIFO nobody writes to would otherwise hold a thread of Node's pool for ever.
 *
 * @throws {LinkInPathError} where the path names a link
 */
export async function open(path: SystemPath, flags: number, mode: number): Promise<number> {
  // Windows does not have these flags.
  if (constants.O_NOFOLLOW === undefined && (await isLink(path))) throw new LinkInPathError();
  try {
    return await openDescriptor(path, flags | WITHOUT_SIDE_EFFECTS, mode);
  } catch (error) {
    throw systemErrorCode(error) === "ELOOP" ? new LinkInPathError() : error;
  }
}

/**
 * Makes another name for the entry `existingPath`. Linux does so with a link itself and refuses directories; other
 * systems may not, so that neither is tried there.
 */
export async function link(existingPath: SystemPath, newPath: SystemPath): Promise<void> {
  if (process.platform !== "linux") {
    const stats = await lstat(existingPath);
    if (stats.isSymbolicLink() || stats.isDirectory()) throw new FileError("EPERM");
  }
  await linkName(existingPath, newPath);
}

/** @returns how many bytes it read: 0 at the end of the file */
export function read(descriptor: number, buffer: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, buffer, 0, buffer.length, position, (error, length) => {
      if (error === null) resolve(length);
      else reject(error);
    });
  });
}

/**
 * @param position the offset to write at; `null` for the descriptor's own position
 * @returns how many bytes it wrote
 */
export function write(descriptor: number, data: Buffer, position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(descriptor, data, 0, data.length, position, (error, length) => {
      if (error === null) resolve(length);
      else reject(error);
    });
  });
}

/** @returns how many bytes of all buffers together it wrote */
export function writev(descriptor: number, buffers: readonly Buffer[], position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(descriptor, buffers, position, (error, length) => {
      if (error === null) resolve(length);
      else reject(error);
    });
  });
}

const openDescriptor: (path: SystemPath, flags: number, mode: number) => Promise<number> = promisify(fs.open);
const linkName: (existingPath: SystemPath, newPath: SystemPath) => Promise<void> = promisify(fs.link);

async function isLink(path: SystemPath): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
}
