import { ConfigurationError } from "../../base/configuration-error.js";
import { checkObject } from "../../base/option-checks.js";
import { FileError } from "../errors.js";
import type { FileHandle, FileSystem } from "../file-system.js";

// For file systems made of others. A file system shows by its methods what it can do: a wrapper has the methods of the
// one that it wraps.

export type FileSystemMethod = keyof FileSystem;
export type FileHandleMethod = Exclude<keyof FileHandle, "identity">;

const fileSystemMethods: Readonly<Record<FileSystemMethod, true>> = {
  open: true,
  lstat: true,
  setstat: true,
  readdir: true,
  remove: true,
  mkdir: true,
  rmdir: true,
  rename: true,
  posixRename: true,
  readlink: true,
  symlink: true,
  hardlink: true,
  statvfs: true,
  userNames: true,
  groupNames: true,
};

const fileHandleMethods: Readonly<Record<FileHandleMethod, true>> = {
  read: true,
  write: true,
  stat: true,
  setstat: true,
  fsync: true,
  close: true,
  abort: true,
};

/**
 * @param option the name of the option that gave the file system
 * @throws {ConfigurationError} when it is not an object with methods of a file system: a promise of one, say
 */
export function checkFileSystem(option: string, fileSystem: FileSystem): FileSystem {
  checkObject(option, fileSystem, " with methods of a FileSystem");
  if (!isFileSystem(fileSystem)) throw new ConfigurationError(option, "has none of the methods of a FileSystem");
  const odd = keysOf(fileSystemMethods).find((name) => !["function", "undefined"].includes(typeof fileSystem[name]));
  if (odd !== undefined) throw new ConfigurationError(option, `${odd} is not a method`);
  return fileSystem;
}

/** Whether an object has any method of a file system. */
export function isFileSystem(object: object): boolean {
  return keysOf(fileSystemMethods).some((name) => Reflect.get(object, name) !== undefined);
}

/** A file system with those methods of `implementation` that `has` names. */
export function selectMethods(implementation: FileSystem, has: (name: FileSystemMethod) => boolean): FileSystem {
  const selected: FileSystem = {};
  for (const name of keysOf(fileSystemMethods)) if (has(name)) bindMethod(selected, implementation, name);
  return selected;
}

/** A handle of the same identity as `implementation`, with those of its methods that `has` names. */
export function selectHandleMethods(
  implementation: FileHandle,
  has: (name: FileHandleMethod) => boolean = () => true,
): FileHandle {
  const { identity } = implementation;
  const selected: FileHandle = identity === undefined ? {} : { identity };
  for (const name of keysOf(fileHandleMethods)) if (has(name)) bindMethod(selected, implementation, name);
  return selected;
}

/**
 * Calls a method that may be missing.
 *
 * @throws {FileError} "operation unsupported" where it is
 */
export function call<Name extends FileSystemMethod>(
  fileSystem: FileSystem,
  name: Name,
  ...args: Parameters<NonNullable<FileSystem[Name]>>
): ReturnType<NonNullable<FileSystem[Name]>> {
  return apply(fileSystem, fileSystem[name], args);
}

/** The same for a handle. */
export function callHandle<Name extends FileHandleMethod>(
  handle: FileHandle,
  name: Name,
  ...args: Parameters<NonNullable<FileHandle[Name]>>
): ReturnType<NonNullable<FileHandle[Name]>> {
  return apply(handle, handle[name], args);
}

function apply<Result>(object: object, method: unknown, args: readonly unknown[]): Result {
  if (typeof method !== "function") throw new FileError("ENOTSUP");
  return Reflect.apply(method, object, args);
}

function bindMethod<T extends object>(target: T, source: T, name: keyof T): void {
  const method = source[name];
  if (typeof method === "function") target[name] = method.bind(source);
}

function keysOf<Key extends string>(record: Readonly<Record<Key, true>>): readonly Key[] {
  return Object.keys(record) as Key[];
}
