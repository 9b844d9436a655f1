import type { DirectoryEntry, FileSystem } from "./file-system.js";
import { isDots } from "./path.js";

/** Gives the entries of a directory one by one. */
export interface EntryIterator {
  next(): Promise<IteratorResult<DirectoryEntry, unknown>>;
  /** Called once, when no more are wanted. */
  return(): Promise<void>;
}

/**
 * The entries of a directory without `.` and `..`, whether the file system lists them or not: a walk down a tree must not
 * meet them, and clients get them from the server.
 */
export function iterateEntries(entries: ReturnType<NonNullable<FileSystem["readdir"]>>): EntryIterator {
  const iterator = Symbol.asyncIterator in entries ? entries[Symbol.asyncIterator]() : entries[Symbol.iterator]();
  return {
    async next() {
      let result = await iterator.next();
      while (result.done !== true && isDots(result.value.name)) result = await iterator.next();
      return result;
    },
    async return() {
      await iterator.return?.();
    },
  };
}
