import { isMissing, LinkInPathError } from "../errors.js";
import type { FileSystem } from "../file-system.js";
import { isDots, joinPath, MAX_PATH_LENGTH } from "../path.js";
import { call } from "./methods.js";

/**
 * Adds up the sizes of all files. One with several names is divided among them, for nothing tells which names are of the
 * same file: where all of them lie in the tree, it counts once. Files deeper than any path leads do not count: to get
 * there takes ever longer, and a client that can rename directories can make a tree as deep as it likes.
 *
 * @returns bytes
 * @throws the error that `readdir` throws for a directory that cannot be listed
 */
export async function treeSize(fileSystem: FileSystem): Promise<number> {
  let size = 0;
  const directories = ["/"];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    try {
      for await (const { name, attributes } of call(fileSystem, "readdir", directory)) {
        if (isDots(name)) continue;
        const path = joinPath(directory, name);
        if (attributes.type === "directory" && path.length <= MAX_PATH_LENGTH) directories.push(path);
        if (attributes.type === "file") size += attributes.size / Math.max(1, attributes.links ?? 1);
      }
    } catch (error) {
      if (!hasVanished(error)) throw error;
    }
  }
  return Math.ceil(size);
}

function hasVanished(error: unknown): boolean {
  return error instanceof LinkInPathError || isMissing(error);
}
