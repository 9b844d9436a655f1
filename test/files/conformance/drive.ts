import { expect } from "vitest";
import { FileError, type FileErrorCode, LinkInPathError, toFileError } from "../../../src/files/errors.js";
import { COMPLETED } from "../../../src/files/file-outcome.js";
import type {
  AttributeChanges,
  DirectoryEntry,
  FileAttributes,
  FileHandle,
  FileSystem,
  FileSystemStatistics,
  OpenOptions,
} from "../../../src/files/file-system.js";
import { call, callHandle } from "../../../src/files/wrappers/methods.js";

const FLAGS = ["read", "write", "append", "create", "truncate", "exclusive"] as const;

/** What a test case works on. */
export interface Subject {
  /** What is tested. */
  readonly drive: Drive;
  /** What makes the files that are needed for it: the same tree, where it can be changed. */
  readonly setUp: Drive;
}

/** `openOptions("write create")`. */
export function openOptions(flags: string, permissions?: number): OpenOptions {
  const words = flags.split(" ");
  for (const word of words) expect(FLAGS).toContain(word);
  const [read, write, append, create, truncate, exclusive] = FLAGS.map((flag) => words.includes(flag));
  const options = { read, write, append, create, truncate, exclusive } as OpenOptions;
  return permissions === undefined ? options : { ...options, permissions };
}

/** A file system for use in tests: all methods are there and asynchronous, and what stays open is closed in the end. */
export class Drive implements AsyncDisposable {
  readonly fileSystem: FileSystem;
  readonly #files = new Set<OpenFile>();

  constructor(fileSystem: FileSystem) {
    this.fileSystem = fileSystem;
  }

  async open(path: string, flags: string, permissions?: number): Promise<OpenFile> {
    const handle = await call(this.fileSystem, "open", path, openOptions(flags, permissions));
    const file = new OpenFile(handle, () => this.#files.delete(file));
    this.#files.add(file);
    return file;
  }

  async read(path: string): Promise<Buffer> {
    const file = await this.open(path, "read");
    const { size } = await file.stat();
    const content = await file.read(size + 1, 0);
    await file.close();
    return content;
  }

  /** Makes or replaces a file. */
  async write(path: string, content: string | Buffer): Promise<void> {
    const file = await this.open(path, "write create truncate");
    await file.write(content, 0);
    await file.close();
  }

  async lstat(path: string): Promise<FileAttributes> {
    return await call(this.fileSystem, "lstat", path);
  }

  async setstat(path: string, changes: AttributeChanges): Promise<void> {
    await call(this.fileSystem, "setstat", path, changes);
  }

  async entries(path: string): Promise<DirectoryEntry[]> {
    const entries: DirectoryEntry[] = [];
    for await (const entry of call(this.fileSystem, "readdir", path)) entries.push(entry);
    return entries;
  }

  /** The names in a directory, sorted. */
  async list(path: string): Promise<string[]> {
    return (await this.entries(path)).map(({ name }) => name).sort();
  }

  async remove(path: string): Promise<void> {
    await call(this.fileSystem, "remove", path);
  }

  async mkdir(path: string, permissions = 0o777): Promise<void> {
    await call(this.fileSystem, "mkdir", path, permissions);
  }

  async rmdir(path: string): Promise<void> {
    await call(this.fileSystem, "rmdir", path);
  }

  async rename(oldPath: string, newPath: string): Promise<void> {
    await call(this.fileSystem, "rename", oldPath, newPath);
  }

  async posixRename(oldPath: string, newPath: string): Promise<void> {
    await call(this.fileSystem, "posixRename", oldPath, newPath);
  }

  async readlink(path: string): Promise<string> {
    return await call(this.fileSystem, "readlink", path);
  }

  async symlink(target: string, linkPath: string): Promise<void> {
    await call(this.fileSystem, "symlink", target, linkPath);
  }

  async hardlink(existingPath: string, newPath: string): Promise<void> {
    await call(this.fileSystem, "hardlink", existingPath, newPath);
  }

  async statvfs(path: string): Promise<FileSystemStatistics> {
    return await call(this.fileSystem, "statvfs", path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}

export class OpenFile {
  readonly handle: FileHandle;
  readonly #onClose: () => void;

  constructor(handle: FileHandle, onClose: () => void) {
    this.handle = handle;
    this.#onClose = onClose;
  }

  /** As many bytes as one read gives. */
  async read(length: number, position: number): Promise<Buffer> {
    const buffer = Buffer.alloc(length, 0xee);
    const bytesRead = await callHandle(this.handle, "read", buffer, position);
    expect(buffer.subarray(bytesRead).every((byte) => byte === 0xee)).toBe(true);
    return buffer.subarray(0, bytesRead);
  }

  /** Writes, and spoils the buffer then. */
  async write(data: string | Buffer, position: number): Promise<void> {
    const buffer = Buffer.from(data);
    await callHandle(this.handle, "write", buffer, position);
    buffer.fill(0xff);
  }

  async stat(): Promise<FileAttributes> {
    return await callHandle(this.handle, "stat");
  }

  async setstat(changes: AttributeChanges): Promise<void> {
    await callHandle(this.handle, "setstat", changes);
  }

  async fsync(): Promise<void> {
    await callHandle(this.handle, "fsync");
  }

  async close(): Promise<void> {
    this.#onClose();
    await callHandle(this.handle, "close", COMPLETED);
  }
}

/** Expects the failure that an operating system calls `code`, with its text. */
export async function expectFailure(code: FileErrorCode, operation: () => Promise<unknown>): Promise<void> {
  const { message } = new FileError(code);
  const error = toFileError(await failureOf(operation));
  expect({ code: error.code, message: error.message }).toEqual({ code, message });
  expect(error).not.toBeInstanceOf(LinkInPathError);
}

export async function expectLinkInPath(operation: () => Promise<unknown>): Promise<void> {
  expect(await failureOf(operation)).toBeInstanceOf(LinkInPathError);
}

export async function failureOf(operation: () => Promise<unknown>): Promise<unknown> {
  try {
    await operation();
  } catch (error) {
    return error;
  }
  return expect.fail("nothing failed");
}

/** Bytes that differ from place to place. */
export function pattern(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
}
