import { dirname, resolve } from "node:path";
import { ConfigurationError } from "../../base/configuration-error.js";
import { isThenable, type MaybePromise, whenDone } from "../../base/maybe-promise.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { basePathOf, leadsTo } from "../base-path.js";
import { FileError, LinkInPathError } from "../errors.js";
import type {
  AttributeChanges,
  DirectoryEntry,
  FileAttributes,
  FileHandle,
  FileSystem,
  FileSystemStatistics,
  OpenOptions,
} from "../file-system.js";
import { FOR_WRITING } from "../open-options.js";
import { decodeName, encodeName, lastName, parentPath } from "../path.js";
import { givePromptForm } from "../prompt-open.js";
import { nameTree } from "../tree-name.js";
import { AccountNames } from "./account-names.js";
import { applyChanges, attributesOf } from "./attributes.js";
import { CheckedDirectories } from "./checked-directories.js";
import type { Directories } from "./directories.js";
import { entryPath } from "./entry-path.js";
import { limitedCalls } from "./limited-calls.js";
import { DirectoryListing } from "./list-directory.js";
import { LocalFileHandle } from "./local-file-handle.js";
import { type OpenFile, openFile } from "./open-file.js";
import { PinnedDirectories } from "./pinned-directories.js";
import type { SystemCalls } from "./short-calls.js";
import type { SystemPath } from "./system-calls.js";

/** Bytes of a name on the disks in use; Node.js does not tell. */
const MAXIMUM_NAME_LENGTH = 255;

/** Codes of `link` for a directory, for a disk without hard links, and for a second name that the kernel does not allow. */
const CANNOT_LINK: readonly (string | undefined)[] = ["EPERM", "EMLINK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"];

/** What all folders belong to: one may lie in another. */
const DISK = {};

/** The folder of the disk that a tree starts at, wrappers or not; `undefined` where it is none of the disk. */
export function rootFolderOf(fileSystem: FileSystem): string | undefined {
  // Of the root nothing is known but by what could lie in it.
  const inside = basePathOf(fileSystem, "/_");
  return inside?.base === DISK ? dirname(inside.path) : undefined;
}

const users = new AccountNames("/etc/passwd");
const groups = new AccountNames("/etc/group");

/**
 * A folder of the disk, and nothing outside it.
 *
 * - **Linux** (with `/proc`): no operation leaves the folder, whoever changes it at the same time. Every directory is
 *   opened from the one above it without following a link, and what is done to an entry is done through the open
 *   directory. Mounts inside the folder belong to it.
 * - **Elsewhere**: every name on the way is looked at before an operation, which is enough against links that are
 *   there. Whoever swaps a directory for a link between the look and the operation leads that one operation outside:
 *   with more than one client, or with other programs at work in the folder, that can happen.
 *
 * Only regular files can be opened: a FIFO, a socket or a device is refused, and makes nobody wait.
 * Directories are kept open for at most two seconds, files until their handles are closed: the object itself needs no
 * end.
 */
export class LocalFileSystem implements FileSystem {
  static {
    const { open } = LocalFileSystem.prototype;
    givePromptForm(open, (fileSystem, path, options) => {
      if (!(#directories in fileSystem)) throw new TypeError("open of LocalFileSystem belongs to another object");
      return fileSystem.#open(path, options);
    });
  }

  /** Absent where the system has no list of users. */
  readonly userNames?: (ids: readonly number[]) => Promise<readonly (string | undefined)[]>;
  /** Absent where the system has no list of groups. */
  readonly groupNames?: (ids: readonly number[]) => Promise<readonly (string | undefined)[]>;
  readonly #directories: Directories;

  /**
   * @param rootPath the folder; links on the way to it are followed. It is made when first used if only its last name
   * is missing; if it cannot be used, operations throw a `ConfigurationError`.
   * @throws {ConfigurationError} when it is not a text, is empty or holds a NUL
   */
  constructor(rootPath: string) {
    if (typeof rootPath !== "string" || rootPath === "" || rootPath.includes("\0")) {
      throw new ConfigurationError("rootPath", "must name a folder");
    }
    const absolutePath = resolve(rootPath);
    const Implementation = process.platform === "linux" ? PinnedDirectories : CheckedDirectories;
    this.#directories = new Implementation(absolutePath);
    leadsTo(this, (path) => ({ base: DISK, path: absolutePath + path }));
    nameTree(this, `folder ${absolutePath}`);
    if (process.platform !== "win32") {
      this.userNames = (ids) => users.find(ids);
      this.groupNames = (ids) => groups.find(ids);
    }
  }

  /**
   * Opens a regular file, and makes it where the options say so, less the umask of the process. Rejects with the system's error,
   * a LinkInPathError, or a FileError for what is not a regular file.
   */
  async open(path: string, options: OpenOptions): Promise<FileHandle> {
    return this.#open(path, options);
  }

  /** The attributes of the file, directory or link at the path, as lstat(2). Rejects with the system's error. */
  async lstat(path: string): Promise<FileAttributes> {
    return attributesOf(await this.#at(path, (entry, calls) => calls.lstat(entry)));
  }

  /** Changes the attributes that are named, as truncate(2), lchown(2), chmod(2) and lutimes(3). Rejects with the system's error. */
  async setstat(path: string, changes: AttributeChanges): Promise<void> {
    await this.#at(path, (entry, calls) =>
      applyChanges(changes, {
        truncate: (size) => truncate(entry, size, calls),
        chown: (uid, gid) => calls.lchown(entry, uid, gid),
        chmod: (permissions) => this.#chmod(entry, permissions, calls),
        utimes: (accessTime, modifyTime) => calls.lutimes(entry, accessTime, modifyTime),
      }),
    );
  }

  /** The entries of a directory with their attributes. Its iterator rejects with the system's error. */
  readdir(path: string): AsyncIterable<DirectoryEntry> {
    return new DirectoryListing(this.#directories, path);
  }

  /** Removes a file or a link, as unlink(2). Rejects with the system's error. */
  async remove(path: string): Promise<void> {
    await this.#at(path, (entry, calls) => calls.unlink(entry));
  }

  /**
   * Makes a directory, as mkdir(2). Rejects with the system's error.
   *
   * @param permissions bits, 0 to 0o7777, less the umask of the process
   */
  async mkdir(path: string, permissions: number): Promise<void> {
    await this.#at(path, (entry, calls) => calls.mkdir(entry, permissions & 0o7777));
  }

  /** Removes an empty directory, but never the root of the tree. Rejects with the system's error. */
  async rmdir(path: string): Promise<void> {
    refuseRoot(path);
    await this.#at(path, (entry, calls) => calls.rmdir(entry));
  }

  /** Moves a file, a link or a directory to a name that is free. Rejects with the system's error, EEXIST where there is something. */
  async rename(oldPath: string, newPath: string): Promise<void> {
    refuseRoot(oldPath);
    await this.#atBoth(oldPath, newPath, renameToNewName);
  }

  /**
   * Moves a file, a link or a directory, and replaces a file or an empty directory at the new name, as rename(2). Rejects with
   * the system's error.
   */
  async posixRename(oldPath: string, newPath: string): Promise<void> {
    refuseRoot(oldPath);
    refuseRoot(newPath);
    await this.#atBoth(oldPath, newPath, (oldEntry, newEntry, calls) => calls.rename(oldEntry, newEntry));
  }

  /** The target of a link, as the disk has it. Rejects with the system's error, EINVAL where there is no link. */
  async readlink(path: string): Promise<string> {
    return decodeName(await this.#at(path, (entry, calls) => calls.readlink(entry, "buffer")));
  }

  /**
   * Makes a symbolic link, as symlink(2). Rejects with the system's error.
   *
   * @param target is stored as it is: the server decides where it leads in the tree
   */
  async symlink(target: string, linkPath: string): Promise<void> {
    await this.#at(linkPath, (entry, calls) => calls.symlink(encodeName(target), entry));
  }

  /** Gives a file one more name, as link(2). Rejects with the system's error. */
  async hardlink(existingPath: string, newPath: string): Promise<void> {
    await this.lstat(existingPath); // where both are missing, link(2) says so of this one
    await this.#atBoth(existingPath, newPath, (existingEntry, newEntry, calls) => calls.link(existingEntry, newEntry));
  }

  /** How large the file system of the disk is that holds the path, and how much of it is free. Rejects with the system's error. */
  async statvfs(path: string): Promise<FileSystemStatistics> {
    const statistics = await this.#at(path, (entry, calls) =>
      this.#directories.withEntry(entry, calls, (itself, stats) => {
        if (stats.isSymbolicLink()) throw new LinkInPathError();
        return calls.statfsFollowing(itself);
      }),
    );
    return {
      blockSize: statistics.bsize,
      blocks: statistics.blocks,
      freeBlocks: statistics.bfree,
      availableBlocks: statistics.bavail,
      files: statistics.files,
      freeFiles: statistics.ffree,
      availableFiles: statistics.ffree,
      maximumNameLength: MAXIMUM_NAME_LENGTH,
    };
  }

  #open(path: string, options: OpenOptions): MaybePromise<FileHandle> {
    return this.#at(path, (entry, calls) =>
      whenDone(
        openFile(entry, options, calls),
        ({ descriptor, stats }) => new LocalFileHandle(descriptor, stats, options, calls),
      ),
    );
  }

  #at<T>(path: string, operation: (entry: SystemPath, calls: SystemCalls) => MaybePromise<T>): MaybePromise<T> {
    return whenDone(this.#directories.acquire(parentPath(path)), (directory) => {
      let result: MaybePromise<T>;
      try {
        result = operation(entryOf(directory.systemPath, path), directory.callsFor(lastName(path)));
      } catch (error) {
        directory.release();
        throw error;
      }
      if (isThenable(result)) return result.finally(() => directory.release());
      directory.release();
      return result;
    });
  }

  async #atBoth<T>(
    oldPath: string,
    newPath: string,
    operation: (oldEntry: SystemPath, newEntry: SystemPath, calls: SystemCalls) => Promise<T>,
  ): Promise<T> {
    return this.#at(oldPath, (oldEntry, oldCalls) =>
      this.#at(newPath, (newEntry, newCalls) =>
        operation(oldEntry, newEntry, oldCalls === newCalls ? oldCalls : limitedCalls),
      ),
    );
  }

  /** A link has no permissions of its own. */
  async #chmod(entry: SystemPath, permissions: number, calls: SystemCalls): Promise<void> {
    await this.#directories.withEntry(entry, calls, (itself, stats) => {
      if (stats.isSymbolicLink()) throw new FileError("ENOTSUP");
      return calls.chmodFollowing(itself, permissions);
    });
  }
}

/** The root is an entry of itself: what cannot be done to a directory's `.` the operating system refuses. */
function entryOf(directory: string, path: string): SystemPath {
  return path === "/" ? `${directory}/.` : entryPath(directory, lastName(path));
}

function refuseRoot(path: string): void {
  if (path === "/") throw new FileError("EBUSY");
}

async function truncate(entry: SystemPath, size: number, calls: SystemCalls): Promise<void> {
  const { descriptor } = await openToTruncate(entry, calls);
  try {
    await calls.ftruncate(descriptor, size);
  } finally {
    await calls.close(descriptor);
  }
}

async function openToTruncate(entry: SystemPath, calls: SystemCalls): Promise<OpenFile> {
  try {
    return await openFile(entry, FOR_WRITING, calls);
  } catch (error) {
    throw error instanceof LinkInPathError ? new FileError("EINVAL") : error; // a link has a size, but not to be changed
  }
}

/** A second name, then the first one away: unlike rename(2), link(2) never replaces anything. */
async function renameToNewName(oldEntry: SystemPath, newEntry: SystemPath, calls: SystemCalls): Promise<void> {
  try {
    await calls.link(oldEntry, newEntry);
  } catch (error) {
    if (!CANNOT_LINK.includes(systemErrorCode(error))) throw error;
    await renameWhereNothingIs(oldEntry, newEntry, calls);
    return;
  }
  try {
    await calls.unlink(oldEntry);
  } catch (error) {
    const isRemoved = systemErrorCode(error) === "ENOENT";
    // Its new name may be the last that it has.
    if (isRemoved && (await calls.lstat(newEntry)).nlink === 1) return;
    await calls.unlink(newEntry);
    throw error;
  }
}

/** For directories, and for disks without hard links: what appears at `newEntry` in between is replaced. */
async function renameWhereNothingIs(oldEntry: SystemPath, newEntry: SystemPath, calls: SystemCalls): Promise<void> {
  try {
    await calls.lstat(newEntry);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
    await calls.rename(oldEntry, newEntry);
    return;
  }
  throw new FileError("EEXIST");
}
