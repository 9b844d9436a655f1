import type { MaybePromise } from "../../base/maybe-promise.js";
import { standsOn } from "../base-path.js";
import { endFile } from "../end-file.js";
import { FileError } from "../errors.js";
import type { FileOutcome } from "../file-outcome.js";
import type {
  DirectoryEntry,
  FileAttributes,
  FileHandle,
  FileSystem,
  FileSystemStatistics,
  OpenOptions,
} from "../file-system.js";
import { passUncountedReads } from "../uncounted-reads.js";
import { call, callHandle, checkFileSystem, selectHandleMethods, selectMethods } from "./methods.js";

/**
 * A file system that can be read, and not changed: whatever would change anything, were it only a time, fails with
 * "Read-only file system" (EROFS).
 *
 * @throws {ConfigurationError} when it is not a file system
 */
export function readOnly(fileSystem: FileSystem): FileSystem {
  checkFileSystem("fileSystem", fileSystem);
  const wrapped = selectMethods(new ReadOnlyFileSystem(fileSystem), (name) => fileSystem[name] !== undefined);
  return standsOn(wrapped, fileSystem);
}

/** Has every method there is, so that none that is added one day gets past it. */
class ReadOnlyFileSystem implements Required<FileSystem> {
  readonly #fileSystem: FileSystem;

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  async open(path: string, options: OpenOptions): Promise<FileHandle> {
    if (options.write || options.append || options.create || options.truncate) refuse();
    const handle = await call(this.#fileSystem, "open", path, options);
    const selected = selectHandleMethods(
      new ReadOnlyFile(handle),
      (name) => name === "close" || handle[name] !== undefined,
    );
    return passUncountedReads(handle, selected);
  }

  lstat(path: string): MaybePromise<FileAttributes> {
    return call(this.#fileSystem, "lstat", path);
  }

  readdir(path: string): AsyncIterable<DirectoryEntry> | Iterable<DirectoryEntry> {
    return call(this.#fileSystem, "readdir", path);
  }

  readlink(path: string): MaybePromise<string> {
    return call(this.#fileSystem, "readlink", path);
  }

  async statvfs(path: string): Promise<FileSystemStatistics> {
    return { ...(await call(this.#fileSystem, "statvfs", path)), readOnly: true };
  }

  userNames(ids: readonly number[]): MaybePromise<readonly (string | undefined)[]> {
    return call(this.#fileSystem, "userNames", ids);
  }

  groupNames(ids: readonly number[]): MaybePromise<readonly (string | undefined)[]> {
    return call(this.#fileSystem, "groupNames", ids);
  }

  setstat(): never {
    refuse();
  }

  remove(): never {
    refuse();
  }

  mkdir(): never {
    refuse();
  }

  rmdir(): never {
    refuse();
  }

  rename(): never {
    refuse();
  }

  posixRename(): never {
    refuse();
  }

  symlink(): never {
    refuse();
  }

  hardlink(): never {
    refuse();
  }
}

class ReadOnlyFile implements FileHandle {
  readonly identity?: string;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    if (handle.identity !== undefined) this.identity = handle.identity;
    this.#handle = handle;
  }

  read(buffer: Buffer, position: number): MaybePromise<number> {
    return callHandle(this.#handle, "read", buffer, position);
  }

  stat(): MaybePromise<FileAttributes> {
    return callHandle(this.#handle, "stat");
  }

  fsync(): MaybePromise<void> {
    return callHandle(this.#handle, "fsync");
  }

  close(outcome: FileOutcome): MaybePromise<void> {
    return endFile(this.#handle, outcome);
  }

  write(): never {
    refuse();
  }

  setstat(): never {
    refuse();
  }
}

function refuse(): never {
  throw new FileError("EROFS");
}
