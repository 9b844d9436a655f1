import { checkObject, checkOptions } from "../../base/option-checks.js";
import { ByteBudget } from "../byte-budget.js";
import { FileError, LinkInPathError } from "../errors.js";
import type {
  AttributeChanges,
  DirectoryEntry,
  FileAttributes,
  FileSystem,
  FileSystemStatistics,
  OpenOptions,
} from "../file-system.js";
import { FOR_REPLACING } from "../open-options.js";
import { decodeName, encodeName, isWithin, normalizePath, splitPath } from "../path.js";
import { nameTree } from "../tree-name.js";
import { MemoryFileHandle } from "./memory-file-handle.js";
import {
  attributesOf,
  changeAttributes,
  contentSize,
  type DirectoryNode,
  type MemoryNode,
  newDirectory,
  newFile,
  newLink,
  now,
} from "./node.js";

const DEFAULT_QUOTA = 64 * 1024 * 1024;

/** Bytes that every name counts beside the content behind it: what the longest name and a node take at most. */
const NAME_COST = 1024;

const UMASK = 0o022;
const BLOCK_SIZE = 4096;

/** Bytes, as on Linux. */
const MAX_NAME_LENGTH = 255;
const MAX_LINK_LENGTH = 4095;

/** Options of `MemoryFileSystem`. */
export interface MemoryFileSystemOptions {
  /**
   * Bytes that the files may hold together, 64 MiB where absent. A file counts with its size, written or not, and every
   * name with 1 KiB: a million empty files need memory, too.
   */
  readonly quota?: number;
}

/** The place that a path leads to. The root lies in itself, without a name. */
interface Place {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: MemoryNode | undefined;
}

interface OccupiedPlace extends Place {
  readonly node: MemoryNode;
}

/**
 * A file system in memory, for tests, demos and files that need not last. It behaves like a disk of Linux whose user owns
 * everything: permissions are kept and shown, and forbid nothing. Reading does not change the access time.
 *
 * All methods are synchronous: each is done when it returns.
 */
export class MemoryFileSystem implements FileSystem {
  readonly #root = newDirectory(0o755);
  readonly #budget: ByteBudget;

  /** @throws {ConfigurationError} when the quota is not a whole number of bytes */
  constructor(options: MemoryFileSystemOptions = {}) {
    const { quota = DEFAULT_QUOTA } = checkOptions(options, ["quota"]);
    this.#budget = new ByteBudget("quota", quota, "ENOSPC");
    this.#root.links++;
    nameTree(this, undefined);
  }

  /**
   * A file system that holds these files: `MemoryFileSystem.from({ "/docs/readme.txt": "hello" })`.
   *
   * @param files contents by path; text is stored as UTF-8
   */
  static from(
    files: Readonly<Record<string, string | Uint8Array>>,
    options: MemoryFileSystemOptions = {},
  ): MemoryFileSystem {
    const fileSystem = new MemoryFileSystem(options);
    for (const [path, content] of Object.entries(checkObject("files", files))) fileSystem.writeFile(path, content);
    return fileSystem;
  }

  /** Stores a file, in place of one that is there, and makes the directories that it lies in. */
  writeFile(path: string, content: string | Uint8Array): void {
    const names = splitPath(normalizePath(path));
    for (let depth = 1; depth < names.length; depth++) {
      const directory = `/${names.slice(0, depth).join("/")}`;
      if (this.#locate(directory).node === undefined) this.mkdir(directory, 0o777);
    }
    const handle = this.open(`/${names.join("/")}`, FOR_REPLACING);
    try {
      handle.write(Buffer.from(content), 0);
    } finally {
      handle.close();
    }
  }

  /** All that a file holds. */
  readFile(path: string): Buffer {
    const { node } = this.#existing(normalizePath(path));
    if (node.type === "symlink") throw new LinkInPathError();
    if (node.type === "directory") throw new FileError("EISDIR");
    const content = Buffer.alloc(node.content.size);
    node.content.read(content, 0);
    return content;
  }

  /**
   * Opens a file, and makes it where the options say so. Its permissions lose the umask 022, and are not enforced.
   *
   * @throws {FileError} EEXIST, ENOENT, EISDIR, or ENOSPC where the quota does not suffice
   */
  open(path: string, options: OpenOptions): MemoryFileHandle {
    const place = this.#locate(path);
    const { node } = place;
    if (node !== undefined && options.create && options.exclusive) throw new FileError("EEXIST");
    if (node?.type === "symlink") throw new LinkInPathError();
    if (node?.type === "directory") throw new FileError("EISDIR");
    if (node !== undefined) {
      if (options.truncate && options.write) changeAttributes(node, { size: 0 }, this.#budget);
      return new MemoryFileHandle(node, options, this.#budget);
    }
    if (!options.create) throw new FileError("ENOENT");
    const file = newFile((options.permissions ?? 0o666) & 0o7777 & ~UMASK);
    this.#create(place, file);
    return new MemoryFileHandle(file, options, this.#budget);
  }

  /** The attributes of the file, directory or link at the path. @throws {FileError} ENOENT */
  lstat(path: string): FileAttributes {
    return attributesOf(this.#existing(path).node);
  }

  /**
   * Changes the attributes that are named. A size cuts the file, or fills it up with zeros.
   *
   * @throws {FileError} ENOENT, or ENOSPC where the quota does not suffice for the size
   */
  setstat(path: string, changes: AttributeChanges): void {
    changeAttributes(this.#existing(path).node, changes, this.#budget);
  }

  /** The entries of a directory, in the order in which they were made. @throws {FileError} ENOENT, or ENOTDIR */
  readdir(path: string): Iterable<DirectoryEntry> {
    const { node } = this.#existing(path);
    if (node.type === "symlink") throw new LinkInPathError();
    if (node.type !== "directory") throw new FileError("ENOTDIR");
    return listEntries(node);
  }

  /** Removes a file or a link. A file that is open keeps its bytes until its last handle is closed. @throws {FileError} ENOENT, or EISDIR */
  remove(path: string): void {
    const place = this.#existing(path);
    if (place.node.type === "directory") throw new FileError("EISDIR");
    this.#unlink(place);
  }

  /**
   * Makes a directory.
   *
   * @param permissions bits, less the umask 022
   * @throws {FileError} EEXIST, ENOENT, or ENOSPC where the quota does not suffice
   */
  mkdir(path: string, permissions: number): void {
    this.#create(this.#locate(path), newDirectory(permissions & 0o1777 & ~UMASK));
  }

  /** Removes an empty directory. @throws {FileError} ENOENT, ENOTDIR, ENOTEMPTY, or EBUSY for the root */
  rmdir(path: string): void {
    const place = this.#existing(path);
    if (place.node.type !== "directory") throw new FileError("ENOTDIR");
    if (place.node === this.#root) throw new FileError("EBUSY");
    if (place.node.entries.size > 0) throw new FileError("ENOTEMPTY");
    this.#unlink(place);
  }

  /** Moves a file, a link or a directory to a name that is free. @throws {FileError} ENOENT, EEXIST, or EINVAL for a place inside itself */
  rename(oldPath: string, newPath: string): void {
    const [source, target] = this.#locateBoth(oldPath, newPath);
    if (target.node !== undefined) throw new FileError("EEXIST");
    if (isWithin(newPath, oldPath)) throw new FileError("EINVAL");
    this.#move(source, target);
  }

  /**
   * Moves a file, a link or a directory, and replaces a file or an empty directory at the new name, as rename(2) does.
   *
   * @throws {FileError} ENOENT, ENOTEMPTY, EISDIR, ENOTDIR, EINVAL for a place inside itself, or EBUSY for the root
   */
  posixRename(oldPath: string, newPath: string): void {
    const [source, target] = this.#locateBoth(oldPath, newPath);
    if (source.node === this.#root || target.node === this.#root) throw new FileError("EBUSY");
    if (source.node === target.node) return;
    if (isWithin(newPath, oldPath) && source.node.type === "directory") throw new FileError("EINVAL");
    if (isWithin(oldPath, newPath)) throw new FileError("ENOTEMPTY");
    if (target.node !== undefined) {
      checkReplaceable(source.node, target.node);
      this.#unlink({ ...target, node: target.node });
    }
    this.#move(source, target);
  }

  /** The target of a link, as it was given to `symlink`. @throws {FileError} ENOENT, or EINVAL where there is no link */
  readlink(path: string): string {
    const { node } = this.#existing(path);
    if (node.type !== "symlink") throw new FileError("EINVAL");
    return node.target;
  }

  /**
   * Makes a symbolic link, whose target need not exist.
   *
   * @param target any text without NUL that is not empty
   * @throws {FileError} EEXIST, ENOENT, ENAMETOOLONG, EINVAL, or ENOSPC where the quota does not suffice
   */
  symlink(target: string, linkPath: string): void {
    if (target === "") throw new FileError("ENOENT");
    const bytes = encodeName(target);
    if (bytes.length > MAX_LINK_LENGTH) throw new FileError("ENAMETOOLONG");
    if (bytes.includes(0)) throw new FileError("EINVAL");
    this.#create(this.#locate(linkPath), newLink(decodeName(bytes)));
  }

  /** Gives a file or a link one more name. @throws {FileError} ENOENT, EEXIST, EPERM for a directory, or ENOSPC for the quota */
  hardlink(existingPath: string, newPath: string): void {
    const { node } = this.#existing(existingPath);
    const place = this.#locate(newPath);
    if (place.node !== undefined) throw new FileError("EEXIST");
    if (node.type === "directory") throw new FileError("EPERM");
    const name = newName(place.name);
    this.#budget.reserve(NAME_COST);
    addEntry(place.directory, name, node);
  }

  /** The quota as the size of the file system, and what is left of it. @throws {FileError} ENOENT */
  statvfs(path: string): FileSystemStatistics {
    const { node } = this.#existing(path);
    if (node.type === "symlink") throw new LinkInPathError();
    const { limit, free } = this.#budget;
    const freeBlocks = Math.floor(free / BLOCK_SIZE);
    const freeFiles = Math.floor(free / NAME_COST);
    return {
      blockSize: BLOCK_SIZE,
      blocks: Math.floor(limit / BLOCK_SIZE),
      freeBlocks,
      availableBlocks: freeBlocks,
      files: Math.floor(limit / NAME_COST),
      freeFiles,
      availableFiles: freeFiles,
      maximumNameLength: MAX_NAME_LENGTH,
    };
  }

  #locate(path: string): Place {
    let place: Place = { directory: this.#root, name: "", node: this.#root };
    for (const name of splitPath(path)) {
      const directory = place.node;
      if (directory === undefined) throw new FileError("ENOENT");
      if (directory.type === "symlink") throw new LinkInPathError();
      if (directory.type !== "directory") throw new FileError("ENOTDIR");
      checkLength(name);
      place = { directory, name, node: directory.entries.get(name) };
    }
    return place;
  }

  #existing(path: string): OccupiedPlace {
    return occupied(this.#locate(path));
  }

  /** The directories are looked up before the names in them, as rename(2) does. */
  #locateBoth(oldPath: string, newPath: string): [source: OccupiedPlace, target: Place] {
    const source = this.#locate(oldPath);
    const target = this.#locate(newPath);
    return [occupied(source), target];
  }

  #create(place: Place, node: MemoryNode): void {
    if (place.node !== undefined) throw new FileError("EEXIST");
    const name = newName(place.name);
    this.#budget.reserve(NAME_COST + contentSize(node));
    addEntry(place.directory, name, node);
  }

  #unlink({ directory, name, node }: OccupiedPlace): void {
    removeEntry(directory, name, node);
    this.#budget.release(NAME_COST);
    if (node.links > 0 || (node.type === "file" && node.handles > 0)) return;
    this.#budget.release(contentSize(node));
  }

  #move(source: OccupiedPlace, target: Place): void {
    const name = newName(target.name);
    removeEntry(source.directory, source.name, source.node);
    addEntry(target.directory, name, source.node);
  }
}

function occupied({ directory, name, node }: Place): OccupiedPlace {
  if (node === undefined) throw new FileError("ENOENT");
  return { directory, name, node };
}

function* listEntries(directory: DirectoryNode): Generator<DirectoryEntry> {
  for (const [name, node] of directory.entries) yield { name, attributes: attributesOf(node) };
}

function addEntry(directory: DirectoryNode, name: string, node: MemoryNode): void {
  directory.entries.set(name, node);
  directory.modifyTime = now();
  node.links++;
  if (node.type === "directory") directory.links++;
}

function removeEntry(directory: DirectoryNode, name: string, node: MemoryNode): void {
  directory.entries.delete(name);
  directory.modifyTime = now();
  node.links--;
  if (node.type === "directory") directory.links--;
}

/** As rename(2) has it. */
function checkReplaceable(source: MemoryNode, target: MemoryNode): void {
  if (target.type !== "directory") {
    if (source.type === "directory") throw new FileError("ENOTDIR");
  } else if (source.type !== "directory") {
    throw new FileError("EISDIR");
  } else if (target.entries.size > 0) {
    throw new FileError("ENOTEMPTY");
  }
}

function checkLength(name: string): void {
  const isShort = name.length * 3 <= MAX_NAME_LENGTH;
  if (!isShort && encodeName(name).length > MAX_NAME_LENGTH) throw new FileError("ENAMETOOLONG");
}

/** A name to keep. It is a copy: a part of a string would hold all of the path in memory that it was cut from. */
function newName(name: string): string {
  const bytes = encodeName(name);
  if (name === ".." || bytes.includes(0)) throw new FileError("EINVAL");
  return decodeName(bytes);
}
