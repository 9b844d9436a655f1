import type { MaybePromise } from "../base/maybe-promise.js";
import type { AccessGuard } from "./access-guard.js";
import { FileError, isMissing, LinkInPathError, toFileError } from "./errors.js";
import type { FileOperation } from "./file-operation.js";
import type { FileAttributes, FileHandle, FileSystem, OpenOptions } from "./file-system.js";

/** The number of times that opening is tried again because a file of that name was made or removed meanwhile. */
const MAX_OPENS = 4;

/** A file that is open, and the canonical path it was opened with. */
export interface OpenedFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Opening the file has made it. Not known, and absent, where nobody asks about operations. */
  readonly isNew?: boolean;
}

/** Runs an opening that makes a file. */
export type Make = (run: () => MaybePromise<FileHandle>) => Promise<FileHandle>;

/** What an opening finds: a file, none, or an upload that its user has not completed, and that nobody else sees. */
type Presence = "present" | "absent" | "unfinished";

/**
 * Opens a file such that the answer holds for what is then done: what may only be made is opened so that nothing may be
 * there, and what may only be changed so that nothing is made. Going on with an unfinished upload counts as making its file.
 *
 * @throws {AccessDeniedError}
 */
export async function openAsAllowed(
  fileSystem: FileSystem,
  access: AccessGuard,
  path: string,
  options: OpenOptions,
  make: Make,
): Promise<OpenedFile> {
  const open = fileSystem.open?.bind(fileSystem);
  if (open === undefined) throw new FileError("ENOTSUP");
  const change = changeBy(options);
  if (options.read) await access.demand("read", path);
  for (let attempt = 1; ; attempt++) {
    const presence = await presenceAt(fileSystem, path, options).catch(async (error) => {
      // How a file system fails may tell something, too.
      if (!(error instanceof LinkInPathError)) await access.demand("create", path);
      throw error;
    });
    const isThere = presence === "present";
    if (!isThere) await access.demand("create", path);
    const mayBeThere = isThere || presence === undefined;
    if (mayBeThere && change !== undefined) await access.demand(change, path);
    const exact = presence === undefined ? options : { ...options, create: !isThere, exclusive: !isThere };
    const asked = [...(isThere ? [] : ["create"]), ...(mayBeThere ? [change] : [])];
    const mayPlace = (isThereNow: boolean) => {
      const operation = isThereNow ? "overwrite" : "create";
      return asked.includes(operation) || access.grants(operation, path);
    };
    const isStrict = options.exclusive || change === undefined;
    try {
      const opened = () => open(path, isStrict ? exact : { ...exact, mayPlace, createAsked: options.create });
      const handle = await (exact.create ? make(opened) : opened());
      return { path, handle, isNew: exact.exclusive };
    } catch (error) {
      const hasChanged = toFileError(error).code === (isThere ? "ENOENT" : "EEXIST");
      const isFinal = options.exclusive || (isThere && !options.create);
      if (!hasChanged || isFinal || attempt === MAX_OPENS) throw error;
    }
  }
}

/** What opening does to a file that is there; `undefined` where it does nothing. */
export function changeBy({ write, append, truncate }: OpenOptions): FileOperation | undefined {
  if (!write) return undefined;
  return append && !truncate ? "append" : "overwrite";
}

/** What there is at a path; `undefined` where there is nothing. */
export async function attributesAt(fileSystem: FileSystem, path: string): Promise<FileAttributes | undefined> {
  if (fileSystem.lstat === undefined) throw new FileError("ENOTSUP");
  try {
    return await fileSystem.lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** What has to be there when a file is opened; `undefined` where nobody can tell. */
async function presenceAt(fileSystem: FileSystem, path: string, options: OpenOptions): Promise<Presence | undefined> {
  const { create, write, exclusive } = options;
  if (exclusive) return "absent";
  if (!create && !write) return "present";
  if (fileSystem.lstat === undefined) return create ? undefined : "present";
  const attributes = await attributesAt(fileSystem, path);
  if (attributes?.type === "symlink" && fileSystem.readlink !== undefined) throw new LinkInPathError();
  if (attributes?.unfinished) return "unfinished";
  return create && attributes === undefined ? "absent" : "present";
}
