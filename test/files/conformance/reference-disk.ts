import * as fs from "node:fs";
import { join } from "node:path";
import { FileError, LinkInPathError } from "../../../src/files/errors.js";
import type {
  AttributeChanges,
  FileAttributes,
  FileHandle,
  FileSystem,
  OpenOptions,
} from "../../../src/files/file-system.js";

/**
 * What other file systems are compared with: the kernel's own, below a directory of the disk, as plainly as can be. Not
 * safe against anything.
 */
export class ReferenceDisk implements FileSystem {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  open(path: string, options: OpenOptions): FileHandle {
    const place = this.#place(path);
    const isThere = type(place) !== undefined;
    if (!(isThere && options.exclusive) && type(place) === "symlink") throw new LinkInPathError();
    if (!options.exclusive && type(place) === "directory") throw new FileError("EISDIR");
    const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_CREAT, O_TRUNC, O_EXCL } = fs.constants;
    let flags = options.write ? (options.read ? O_RDWR : O_WRONLY) : O_RDONLY;
    if (options.append) flags |= O_APPEND;
    if (options.create) flags |= O_CREAT;
    if (options.truncate) flags |= O_TRUNC;
    if (options.exclusive) flags |= O_EXCL;
    const descriptor = fs.openSync(place, flags, options.permissions ?? 0o666);
    return {
      read: (buffer, position) => fs.readSync(descriptor, buffer, 0, buffer.length, position),
      write: (data, position) => void fs.writeSync(descriptor, data, 0, data.length, position),
      stat: () => attributes(fs.fstatSync(descriptor)),
      setstat: ({ size, permissions }) => {
        if (size !== undefined) fs.ftruncateSync(descriptor, size);
        if (permissions !== undefined) fs.fchmodSync(descriptor, permissions);
      },
      close: () => fs.closeSync(descriptor),
    };
  }

  lstat(path: string): FileAttributes {
    return attributes(fs.lstatSync(this.#place(path)));
  }

  setstat(path: string, { size, permissions }: AttributeChanges): void {
    const place = this.#place(path);
    if (type(place) === "symlink") throw new FileError(size === undefined ? "ENOTSUP" : "EINVAL");
    if (size !== undefined) fs.truncateSync(place, size);
    if (permissions !== undefined) fs.chmodSync(place, permissions);
  }

  *readdir(path: string) {
    const place = this.#place(path);
    if (type(place) === "symlink") throw new LinkInPathError();
    for (const name of fs.readdirSync(place)) yield { name, attributes: attributes(fs.lstatSync(join(place, name))) };
  }

  remove(path: string): void {
    fs.unlinkSync(this.#place(path));
  }

  mkdir(path: string, permissions: number): void {
    fs.mkdirSync(this.#place(path), permissions);
  }

  rmdir(path: string): void {
    fs.rmdirSync(this.#place(path));
  }

  rename(oldPath: string, newPath: string): void {
    const [oldPlace, newPlace] = [this.#place(oldPath), this.#place(newPath)];
    if (type(oldPlace) !== undefined && type(newPlace) !== undefined) throw new FileError("EEXIST");
    fs.renameSync(oldPlace, newPlace);
  }

  posixRename(oldPath: string, newPath: string): void {
    fs.renameSync(this.#place(oldPath), this.#place(newPath));
  }

  readlink(path: string): string {
    return fs.readlinkSync(this.#place(path));
  }

  symlink(target: string, linkPath: string): void {
    fs.symlinkSync(target, this.#place(linkPath));
  }

  hardlink(existingPath: string, newPath: string): void {
    const existing = this.#place(existingPath);
    fs.lstatSync(existing);
    fs.linkSync(existing, this.#place(newPath));
  }

  /** Where a path lies on the disk; what lies behind a link does not. */
  #place(path: string): string {
    const names = path.split("/").filter((name) => name !== "");
    for (let depth = 1; depth < names.length; depth++) {
      const directory = fs.lstatSync(join(this.#root, ...names.slice(0, depth)));
      if (directory.isSymbolicLink()) throw new LinkInPathError();
      if (!directory.isDirectory()) throw new FileError("ENOTDIR");
    }
    return join(this.#root, ...names);
  }
}

function type(place: string): FileAttributes["type"] | undefined {
  try {
    return attributes(fs.lstatSync(place)).type;
  } catch {
    return undefined;
  }
}

function attributes(stats: fs.Stats): FileAttributes {
  return {
    type: stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "symlink" : "file",
    size: stats.size,
    permissions: stats.mode & 0o7777,
    accessTime: stats.atimeMs / 1000,
    modifyTime: stats.mtimeMs / 1000,
    links: stats.nlink,
  };
}
