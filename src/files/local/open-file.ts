import { constants, type Stats } from "node:fs";
import { isThenable, type MaybePromise, whenDone } from "../../base/maybe-promise.js";
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
export function openFile(path: SystemPath, options: OpenOptions, calls: SystemCalls): MaybePromise<OpenFile> {
  const mode = (options.permissions ?? DEFAULT_PERMISSIONS) & 0o7777;
  return whenDone(openAnything(calls, path, openFlags(options), mode), (descriptor) => {
    const failed = async (error: unknown): Promise<never> => {
      await calls.close(descriptor);
      throw error;
    };
    try {
      const stats = calls.fstat(descriptor);
      if (!isThenable(stats)) return checked(descriptor, stats, path, options);
      return stats.then((found) => checked(descriptor, found, path, options)).catch(failed);
    } catch (error) {
      return failed(error);
    }
  });
}

/** @throws {FileError} for all that may not be opened so */
function checked(descriptor: number, stats: Stats, path: SystemPath, options: OpenOptions): OpenFile {
  if (stats.isDirectory()) throw new FileError("EISDIR");
  if (!stats.isFile()) throw notRegular();
  if (isOfProcesses(stats) && (options.write || PROCESS_SECRETS.test(path.toString("latin1")))) {
    throw new FileError("EACCES");
  }
  return { descriptor, stats };
}

function openFlags(options: OpenOptions): number {
  let flags = options.write ? (options.read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  if (options.append) flags |= constants.O_APPEND;
  if (options.create) flags |= constants.O_CREAT;
  if (options.create && options.exclusive) flags |= constants.O_EXCL;
  if (options.write && options.truncate) flags |= constants.O_TRUNC;
  return flags;
}

function openAnything(calls: SystemCalls, path: SystemPath, flags: number, mode: number): MaybePromise<number> {
  try {
    const descriptor = calls.open(path, flags, mode);
    return isThenable(descriptor) ? descriptor.catch(refused) : descriptor;
  } catch (error) {
    return refused(error);
  }
}

function refused(error: unknown): never {
  // A socket, a FIFO that nobody reads, or a device without a driver.
  throw systemErrorCode(error) === "ENXIO" ? notRegular() : error;
}

function notRegular(): FileError {
  return new FileError("EINVAL", "Not a regular file");
}
