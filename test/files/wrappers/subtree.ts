import type { FileSystem } from "../../../src/files/file-system.js";
import { call } from "../../../src/files/wrappers/methods.js";

/** A directory of a file system as one of its own: the opposite of mounting one there. */
export function subtree(fileSystem: FileSystem, root: string): FileSystem {
  const outside = (path: string) => (path === "/" ? root : root + path);
  return {
    open: (path, options) => call(fileSystem, "open", outside(path), options),
    lstat: (path) => call(fileSystem, "lstat", outside(path)),
    setstat: (path, changes) => call(fileSystem, "setstat", outside(path), changes),
    readdir: (path) => call(fileSystem, "readdir", outside(path)),
    remove: (path) => call(fileSystem, "remove", outside(path)),
    mkdir: (path, permissions) => call(fileSystem, "mkdir", outside(path), permissions),
    rmdir: (path) => call(fileSystem, "rmdir", outside(path)),
    rename: (oldPath, newPath) => call(fileSystem, "rename", outside(oldPath), outside(newPath)),
    posixRename: (oldPath, newPath) => call(fileSystem, "posixRename", outside(oldPath), outside(newPath)),
    readlink: async (path) => {
      const target = await call(fileSystem, "readlink", outside(path));
      return target.startsWith("/") ? target.slice(root.length) || "/" : target;
    },
    symlink: (target, path) =>
      call(fileSystem, "symlink", target.startsWith("/") ? outside(target) : target, outside(path)),
    hardlink: (existing, path) => call(fileSystem, "hardlink", outside(existing), outside(path)),
    statvfs: (path) => call(fileSystem, "statvfs", outside(path)),
  };
}
