import { withoutWrappers } from "./base-path.js";
import type { FileSystem } from "./file-system.js";

/** By the object itself, not as a property of it: an object that a program derives from it is another tree. */
const names = new WeakMap<FileSystem, string | undefined>();

/**
 * Says by what name other processes know the tree of a file system.
 *
 * @param name `undefined` where no other process has the tree
 */
export function nameTree(fileSystem: FileSystem, name: string | undefined): void {
  names.set(fileSystem, name);
}

/** What is known of the tree of a file system: its name for all processes, that no other has it, or nothing. */
export function treeName(fileSystem: FileSystem): { readonly name: string | undefined } | undefined {
  const tree = withoutWrappers(fileSystem);
  return names.has(tree) ? { name: names.get(tree) } : undefined;
}
