import type { Stats } from "node:fs";
import { FileError, LinkInPathError } from "../errors.js";
import type { Directories, Directory } from "./directories.js";
import { entryPath } from "./entry-path.js";
import { RootDirectory } from "./root-directory.js";
import { queuedCalls, type SystemCalls } from "./short-calls.js";
import { lstat, type SystemPath, statFollowing } from "./system-calls.js";

/**
 * Directories on systems other than Linux: each name on the way is looked at before an operation. A name that becomes a
 * link between the look and the operation is followed.
 */
export class CheckedDirectories implements Directories {
  readonly #root: RootDirectory;

  /** @param rootPath absolute; it may lead through links */
  constructor(rootPath: string) {
    this.#root = new RootDirectory(rootPath);
  }

  async acquire(path: string): Promise<Directory> {
    if (!path.startsWith("/")) throw new FileError("EINVAL");
    let systemPath = await this.#root.use(async (rootPath) => {
      if (!(await statFollowing(rootPath)).isDirectory()) throw new FileError("ENOTDIR");
      return rootPath;
    });
    for (const name of path === "/" ? [] : path.slice(1).split("/")) {
      const entry = entryPath(systemPath, name);
      const stats = await lstat(entry);
      if (stats.isSymbolicLink()) throw new LinkInPathError();
      if (!stats.isDirectory()) throw new FileError("ENOTDIR");
      systemPath = `${systemPath}/${name}`;
    }
    return { systemPath, calls: queuedCalls, callsFor: () => queuedCalls, lookAt: () => [], release() {} };
  }

  async withEntry<T>(
    entry: SystemPath,
    calls: SystemCalls,
    operation: (path: SystemPath, stats: Stats) => Promise<T>,
  ): Promise<T> {
    return operation(entry, await calls.lstat(entry));
  }
}
