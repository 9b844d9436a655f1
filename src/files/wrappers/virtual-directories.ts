import { FileError, type FileErrorCode } from "../errors.js";
import type { DirectoryEntry, FileAttributes, FileSystem, FileSystemStatistics, OpenOptions } from "../file-system.js";
import { parentPath } from "../path.js";

const STATISTICS: FileSystemStatistics = {
  blockSize: 4096,
  blocks: 0,
  freeBlocks: 0,
  availableBlocks: 0,
  files: 0,
  freeFiles: 0,
  availableFiles: 0,
  readOnly: true,
  maximumNameLength: 255,
};

/**
 * Directories that stand nowhere but here: on the way to a mount point where no mounted tree has them. They cannot be
 * changed. Mount points in them are not listed here.
 */
export class VirtualDirectories implements FileSystem {
  readonly #paths: ReadonlySet<string>;
  readonly #attributes: FileAttributes;

  /** @param paths canonical, `/` among them */
  constructor(paths: Iterable<string>) {
    this.#paths = new Set(paths);
    const time = Math.floor(Date.now() / 1000);
    this.#attributes = { type: "directory", size: 0, permissions: 0o555, accessTime: time, modifyTime: time };
  }

  open(path: string, options: OpenOptions): never {
    if (options.create) this.#refuseNew(path, options.exclusive ? "EEXIST" : "EISDIR");
    this.#demand(path);
    throw new FileError("EISDIR");
  }

  lstat(path: string): FileAttributes {
    this.#demand(path);
    return this.#attributes;
  }

  setstat(path: string): never {
    this.#demand(path);
    throw new FileError("EROFS");
  }

  readdir(path: string): Iterable<DirectoryEntry> {
    this.#demand(path);
    return [];
  }

  remove(path: string): never {
    this.#demand(path);
    throw new FileError("EISDIR");
  }

  mkdir(path: string): never {
    this.#refuseNew(path, "EEXIST");
  }

  rmdir(path: string): never {
    this.#demand(path);
    throw new FileError("EBUSY");
  }

  rename(oldPath: string): never {
    this.rmdir(oldPath);
  }

  posixRename(oldPath: string): never {
    this.rmdir(oldPath);
  }

  readlink(path: string): never {
    this.#demand(path);
    throw new FileError("EINVAL");
  }

  symlink(_target: string, linkPath: string): never {
    this.#refuseNew(linkPath, "EEXIST");
  }

  hardlink(existingPath: string): never {
    this.#demand(existingPath);
    throw new FileError("EPERM");
  }

  statvfs(path: string): FileSystemStatistics {
    this.#demand(path);
    return STATISTICS;
  }

  #demand(path: string): void {
    if (!this.#paths.has(path)) throw new FileError("ENOENT");
  }

  /** @param ifThere the failure where there is a directory already */
  #refuseNew(path: string, ifThere: FileErrorCode): never {
    if (this.#paths.has(path)) throw new FileError(ifThere);
    this.#demand(parentPath(path));
    throw new FileError("EROFS");
  }
}
