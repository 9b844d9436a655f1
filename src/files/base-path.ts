import type { FileSystem } from "./file-system.js";

/** A path, and what it belongs to when all wrappers are taken off. */
export interface BasePath {
  readonly base: object;
  readonly path: string;
}

const insides = new WeakMap<object, (path: string) => BasePath>();
const unwrapped = new WeakMap<FileSystem, FileSystem>();

/**
 * Says where the paths of a file system lead that others stand on, too.
 *
 * @param inside gets a canonical path
 */
export function leadsTo(fileSystem: FileSystem, inside: (path: string) => BasePath): void {
  insides.set(fileSystem, inside);
}

/** The same for a wrapper that changes no path. */
export function standsOn<Wrapper extends FileSystem>(wrapper: Wrapper, wrapped: FileSystem): Wrapper {
  unwrapped.set(wrapper, wrapped);
  leadsTo(wrapper, (path) => ({ base: wrapped, path }));
  return wrapper;
}

/** Where a path leads; `undefined` for the root of a tree, in whose place nothing can be put. @param path canonical */
export function basePathOf(fileSystem: FileSystem, path: string): BasePath | undefined {
  let found: BasePath = { base: fileSystem, path };
  for (;;) {
    if (found.path === "/") return undefined;
    const inside = insides.get(found.base);
    if (inside === undefined) return found;
    found = inside(found.path);
  }
}

/** The file system whose tree a wrapper shows unchanged, or the file system itself. */
export function withoutWrappers(fileSystem: FileSystem): FileSystem {
  let found = fileSystem;
  for (let next = unwrapped.get(found); next !== undefined; next = unwrapped.get(found)) found = next;
  return found;
}
