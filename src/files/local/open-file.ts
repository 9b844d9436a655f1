import { constants, type Stats } from "node:fs";
import { systemErrorCode } from "../../base/system-error-code.js";
import { FileError } from "../errors.js";
import type { OpenOptions } from "../file-system.js";
import { isOfProcesses } from "./mount-table.js";
import type { SystemCalls } from "./short-calls.js";
import type { SystemPath } from "./system-calls.js";

/** Permission bits of a new file whose creator names none, less the umask. */
const DEFAULT_PERMISSIONS = 0o666;

/** Files with the memory or environment of a process, or the kernel's memory. Ours hold keys; a change commands us. */
const PROCESS_SECRETS = /\/(?:mem|environ|kcore)$/;

export interface OpenFile {
  readonly descriptor: number;
  readonly stats: Stats;
}

/**
 * Opens a regular file, and nothing else. O_TRUNC is left to the kernel: it empties a file once all its checks have
 * passed, and does nothing to anything but a regular file.
 *
 * @throws {LinkInPathError} where the path names a link
 */
export async function openFile(path: SystemPath, options: OpenOptions, calls: SystemCalls): Promise<OpenFile> {
  const descriptor = await openAnything(
    calls,
    path,
    openFlags(options),
    (options.permissions ?? DEFAULT_PERMISSIONS) & 0o7777,
  );
  try {
    const stats = await calls.fstat(descriptor);
    if (stats.isDirectory()) throw new FileError("EISDIR");
    if (!stats.isFile()) throw notRegular();
    if (isOfProcesses(stats) && (options.write || PROCESS_SECRETS.test(path.toString("latin1")))) {
      throw new FileError("EACCES");
    }
    return { descriptor, stats };
  } catch (error) {
    await calls.close(descriptor);
    throw error;
  }
}

function openFlags(options: OpenOptions): number {
  let flags = options.write ? (options.read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  if (options.append) flags |= constants.O_APPEND;
  if (options.create) flags |= constants.O_CREAT;
  if (options.create && options.exclusive) flags |= constants.O_EXCL;
  if (options.write && options.truncate) flags |= constants.O_TRUNC;
  return flags;
}

async function openAnything(calls: SystemCalls, path: SystemPath, flags: number, mode: number): Promise<number> {
  try {
    return await calls.open(path, flags, mode);
  } catch (error) {
    // A socket, a FIFO that nobody reads, or a device without a driver.
    throw systemErrorCode(error) === "ENXIO" ? notRegular() : error;
  }
}

function notRegular(): FileError {
  return new FileError("EINVAL", "Not a regular file");
}
