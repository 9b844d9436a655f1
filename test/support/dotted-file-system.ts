import type { DirectoryEntry, FileAttributes, FileSystem } from "../../src/files/file-system.js";
import type { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";

const WRONG: FileAttributes = { type: "directory", size: 1, permissions: 0, accessTime: 0, modifyTime: 0 };

/** A file system that lists `.` and `..`, which it need not, and tells lies about them. */
export function dotted(files: MemoryFileSystem): FileSystem {
  return {
    open: (path, options) => files.open(path, options),
    lstat: (path) => files.lstat(path),
    *readdir(path): Iterable<DirectoryEntry> {
      yield { name: "..", attributes: WRONG };
      yield* files.readdir(path);
      yield { name: ".", attributes: WRONG };
    },
  };
}
