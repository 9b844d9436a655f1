import type { AccessGuard } from "./access-guard.js";
import { FileError, isMissing, LinkInPathError, toFileError } from "./errors.js";
import type { FileOperation } from "./file-operation.js";
import type { FileAttributes, FileHandle, FileSystem, OpenOptions } from "./file-system.js";

/** The number of times that a file is opened anew because somebody has made or removed one of its name meanwhile. */
const MAX_OPENS = 4;

/** A file that is open, and the canonical path it was opened with. */
export interface OpenedFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Opening the file has made it. Not known, and absent, where nobody asks about operations. */
  readonly isNew?: boolean;
}

/**
 * Opens a file such that the answer holds for what is then done: what may only be made is opened so that nothing may be
 * there, and what may only be changed so that nothing is made.
 *
 * @throws {AccessDeniedError}
 */
export async function openAsAllowed(
  fileSystem: FileSystem,
  access: AccessGuard,
  path: string,
  options: OpenOptions,
): Promise<OpenedFile> {
  if (fileSystem.open === undefined) throw new FileError("ENOTSUP");
  if (options.read) await access.demand("read", path);
  for (let attempt = 1; ; attempt++) {
    const exact = await allowedOptions(fileSystem, access, path, options);
    try {
      return { path, handle: await fileSystem.open(path, exact), isNew: exact.exclusive };
    } catch (error) {
      const hasChanged = toFileError(error).code === (exact.exclusive ? "EEXIST" : "ENOENT");
      if (!hasChanged || !options.create || options.exclusive) throw error;
      // For who must not change what is there, it is as if it had been there before.
      if (exact.exclusive) await demandChange(access, path, options);
      if (attempt === MAX_OPENS) throw error;
    }
  }
}

/** The options with which nothing can happen but what is allowed. */
async function allowedOptions(
  fileSystem: FileSystem,
  access: AccessGuard,
  path: string,
  options: OpenOptions,
): Promise<OpenOptions> {
  const isThere = await mustBeThere(fileSystem, path, options);
  const change = changeBy(options);
  if (isThere === true && change !== undefined && !(await access.allows(change, path))) {
    // The file system may show what only its user sees, such as an upload that broke off: that one may be made anew.
    const makesAnew = options.create && options.truncate && (await access.allows("create", path));
    if (makesAnew) return { ...options, exclusive: true };
    await access.demand(change, path);
  }
  if (isThere !== true) await access.demand("create", path);
  if (isThere === undefined) await demandChange(access, path, options);
  return isThere === undefined ? options : { ...options, create: !isThere, exclusive: !isThere };
}

async function demandChange(access: AccessGuard, path: string, options: OpenOptions): Promise<void> {
  const change = changeBy(options);
  if (change !== undefined) await access.demand(change, path);
}

/** What opening does to a file that is there; `undefined` where it does nothing. */
export function changeBy({ write, append, truncate }: OpenOptions): FileOperation | undefined {
  if (!write) return undefined;
  return append && !truncate ? "append" : "overwrite";
}

/** The kind of thing that has a path; `undefined` where nothing has. */
export async function typeAt(fileSystem: FileSystem, path: string): Promise<FileAttributes["type"] | undefined> {
  if (fileSystem.lstat === undefined) throw new FileError("ENOTSUP");
  try {
    return (await fileSystem.lstat(path)).type;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether a file has to be there, or must not; `undefined` where nobody can tell which of the two it is. */
async function mustBeThere(fileSystem: FileSystem, path: string, options: OpenOptions): Promise<boolean | undefined> {
  if (!options.create) return true;
  if (options.exclusive) return false;
  if (fileSystem.lstat === undefined) return undefined;
  const type = await typeAt(fileSystem, path);
  if (type === "symlink" && fileSystem.readlink !== undefined) throw new LinkInPathError();
  return type !== undefined;
}
