import { ConfigurationError } from "../../base/configuration-error.js";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { checkObject } from "../../base/option-checks.js";
import { type BasePath, leadsTo } from "../base-path.js";
import { FileError, type FileErrorCode, isMissing, LinkInPathError } from "../errors.js";
import type {
  AttributeChanges,
  DirectoryEntry,
  FileAttributes,
  FileHandle,
  FileSystem,
  FileSystemStatistics,
  OpenOptions,
} from "../file-system.js";
import { isWithin, joinPath, lastName, normalizePath, parentPath, splitPath } from "../path.js";
import { passUncountedReads } from "../uncounted-reads.js";
import { call, checkFileSystem, selectHandleMethods, selectMethods } from "./methods.js";
import { directoriesAbove, MountedTree } from "./mounted-tree.js";
import { VirtualDirectories } from "./virtual-directories.js";

/**
 * Several file systems as one: `mount({ "/": home, "/docs": docs, "/pub/images": images })`.
 *
 * - A path belongs to the file system with the longest mount path that it lies in. Files of another one in the
 *   same place are hidden. File systems without a method fail with "operation unsupported" where it is needed.
 * - Mount points are listed in the directories they lie in. If no file system has such a directory (or has something
 *   else there, which is hidden then), it is virtual: there to be listed and passed, not to be changed.
 * - Mount points, and what leads to them, cannot be removed or renamed (EBUSY). Nothing is renamed or linked from one
 *   file system to another (EXDEV).
 * - Links: an absolute target means the same file whether its file system is mounted or served alone. `/x` in `/docs`
 *   is stored as `/x` by the file system there, and reads `/docs/x` through the mount; so clients read what they wrote.
 *   An absolute target outside of the file system of the link cannot be stored (EXDEV). A relative target is
 *   kept as it is, and may lead from one mounted file system to another, as `../pub/images` in `/docs` does; never out
 *   of them all.
 *
 * @param fileSystems by where they are mounted: absolute paths without `..`
 * @throws {ConfigurationError} when there are none, for a path of another form and for one that comes twice
 */
export function mount(fileSystems: Readonly<Record<string, FileSystem>>): FileSystem {
  const byPath = new Map<string, FileSystem>();
  for (const [path, fileSystem] of Object.entries(checkObject("mount", fileSystems))) {
    const mountPath = toMountPath(path);
    if (byPath.has(mountPath)) throw unusable(`${JSON.stringify(mountPath)} is there twice`);
    byPath.set(mountPath, checkFileSystem(`mount[${JSON.stringify(path)}]`, fileSystem));
  }
  if (byPath.size === 0) throw unusable("there is no file system to be mounted");
  const mounted = [...byPath.values()];
  const trees = new Mount(byPath);
  const wrapped = selectMethods(
    trees,
    (name) => name === "lstat" || name === "readdir" || mounted.some((fileSystem) => fileSystem[name] !== undefined),
  );
  leadsTo(wrapped, (path) => trees.basePathOf(path));
  return wrapped;
}

interface Place {
  readonly tree: MountedTree;
  /** In the tree. */
  readonly path: string;
}

class Mount implements Required<FileSystem> {
  /** The one with the longest mount path first. The last holds `/`. */
  readonly #trees: readonly MountedTree[];
  readonly #virtual: MountedTree;
  /** Names that mount points, and what leads to them, have in a directory. */
  readonly #names = new Map<string, Set<string>>();
  readonly #mountPaths: ReadonlySet<string>;
  readonly #withUserNames: FileSystem;
  readonly #withGroupNames: FileSystem;

  constructor(fileSystems: ReadonlyMap<string, FileSystem>) {
    const mountPaths = [...fileSystems.keys()];
    for (const path of mountPaths.flatMap((mountPath) => [mountPath, ...directoriesAbove(mountPath)])) {
      if (path === "/") continue;
      const names = this.#names.get(parentPath(path)) ?? new Set();
      this.#names.set(parentPath(path), names.add(lastName(path)));
    }
    this.#mountPaths = new Set(mountPaths);
    const longestFirst = (a: string, b: string) => b.length - a.length;
    const junctions = [...this.#names.keys()].filter((path) => !this.#mountPaths.has(path)).sort(longestFirst);
    this.#virtual = new MountedTree("/", new VirtualDirectories(["/", ...junctions]));
    const trees = [...fileSystems].map(([mountPath, fileSystem]) => {
      const inside = junctions.filter((path) => path !== "/" && isWithin(path, mountPath));
      return new MountedTree(mountPath, fileSystem, inside);
    });
    this.#trees = [...trees.sort((a, b) => longestFirst(a.mountPath, b.mountPath)), this.#virtual];

    const rootFirst = [fileSystems.get("/") ?? {}, ...fileSystems.values()];
    this.#withUserNames = rootFirst.find(({ userNames }) => userNames !== undefined) ?? {};
    this.#withGroupNames = rootFirst.find(({ groupNames }) => groupNames !== undefined) ?? {};
  }

  async open(path: string, options: OpenOptions): Promise<FileHandle> {
    const { tree, path: inside } = await this.#place(path);
    const handle = await call(tree.fileSystem, "open", inside, options);
    if (handle.identity === undefined) return handle;
    // No path holds a NUL: this is neither a path nor the identity of a file in another tree.
    const identity = `${this.#firstMountPath(tree)}\0${handle.identity}`;
    return passUncountedReads(handle, { ...selectHandleMethods(handle), identity });
  }

  lstat(path: string): Promise<FileAttributes> {
    return this.#at(path, (tree, inside) => call(tree.fileSystem, "lstat", inside));
  }

  setstat(path: string, changes: AttributeChanges): Promise<void> {
    return this.#at(path, (tree, inside) => call(tree.fileSystem, "setstat", inside, changes));
  }

  readdir(path: string): AsyncIterable<DirectoryEntry> | Iterable<DirectoryEntry> {
    const tree = this.#treeOf(path);
    if (this.#junction(tree, path) === undefined && !this.#names.has(path)) {
      return call(tree.fileSystem, "readdir", tree.pathInside(path));
    }
    return this.#entries(path);
  }

  async remove(path: string): Promise<void> {
    this.#refuseMountPoint(path, "EISDIR");
    await this.#at(path, (tree, inside) => call(tree.fileSystem, "remove", inside));
  }

  mkdir(path: string, permissions: number): Promise<void> {
    return this.#at(path, (tree, inside) => call(tree.fileSystem, "mkdir", inside, permissions));
  }

  async rmdir(path: string): Promise<void> {
    this.#refuseMountPoint(path);
    await this.#at(path, (tree, inside) => call(tree.fileSystem, "rmdir", inside));
  }

  rename(oldPath: string, newPath: string): Promise<void> {
    return this.#move("rename", oldPath, newPath);
  }

  posixRename(oldPath: string, newPath: string): Promise<void> {
    return this.#move("posixRename", oldPath, newPath);
  }

  readlink(path: string): Promise<string> {
    return this.#at(path, async (tree, inside) => tree.targetOutside(await call(tree.fileSystem, "readlink", inside)));
  }

  async symlink(target: string, linkPath: string): Promise<void> {
    const place = await this.#place(linkPath);
    const targetInside = place.tree.targetInside(target);
    if (targetInside === undefined) {
      await refuseLinkOnTheWay(place);
      throw new FileError("EXDEV");
    }
    await call(place.tree.fileSystem, "symlink", targetInside, place.path);
  }

  async hardlink(existingPath: string, newPath: string): Promise<void> {
    const [existing, added] = await this.#inOneTree(existingPath, newPath);
    await call(existing.tree.fileSystem, "hardlink", existing.path, added.path);
  }

  statvfs(path: string): Promise<FileSystemStatistics> {
    return this.#at(path, (tree, inside) => call(tree.fileSystem, "statvfs", inside));
  }

  userNames(ids: readonly number[]): MaybePromise<readonly (string | undefined)[]> {
    return call(this.#withUserNames, "userNames", ids);
  }

  groupNames(ids: readonly number[]): MaybePromise<readonly (string | undefined)[]> {
    return call(this.#withGroupNames, "groupNames", ids);
  }

  basePathOf(path: string): BasePath {
    const tree = this.#treeOf(path);
    return { base: tree.fileSystem, path: tree.pathInside(path) };
  }

  async #at<T>(path: string, operation: (tree: MountedTree, inside: string) => MaybePromise<T>): Promise<T> {
    const place = await this.#place(path);
    return operation(place.tree, place.path);
  }

  async #place(path: string): Promise<Place> {
    const tree = this.#treeOf(path);
    const junction = this.#junction(tree, path);
    if (junction !== undefined && !(await hasDirectory(tree, junction))) return { tree: this.#virtual, path };
    return { tree, path: tree.pathInside(path) };
  }

  #treeOf(path: string): MountedTree {
    return this.#trees.find(({ mountPath }) => isWithin(path, mountPath)) ?? this.#virtual;
  }

  /** The deepest directory that a path is or lies in, and that is there even where the tree has none. */
  #junction(tree: MountedTree, path: string): string | undefined {
    return tree.junctions.find((junction) => isWithin(path, junction));
  }

  /** One file system may be mounted twice: its files are the same in both places. */
  #firstMountPath({ fileSystem }: MountedTree): string | undefined {
    return this.#trees.find((tree) => tree.fileSystem === fileSystem)?.mountPath;
  }

  async *#entries(path: string): AsyncGenerator<DirectoryEntry, void, undefined> {
    const names = this.#names.get(path) ?? new Set();
    const place = await this.#place(path);
    for await (const entry of call(place.tree.fileSystem, "readdir", place.path)) {
      if (!names.has(entry.name)) yield entry;
    }
    for (const name of names) yield { name, attributes: await this.#rootAttributes(joinPath(path, name)) };
  }

  /** A mount point is listed even while its file system fails. */
  async #rootAttributes(path: string): Promise<FileAttributes> {
    try {
      return await this.lstat(path);
    } catch {
      return call(this.#virtual.fileSystem, "lstat", "/");
    }
  }

  #refuseMountPoint(path: string, failure: FileErrorCode = "EBUSY"): void {
    if (this.#mountPaths.has(path) || this.#names.has(path)) throw new FileError(failure);
  }

  async #move(method: "rename" | "posixRename", oldPath: string, newPath: string): Promise<void> {
    this.#refuseMountPoint(oldPath);
    this.#refuseMountPoint(newPath);
    const [from, to] = await this.#inOneTree(oldPath, newPath);
    await call(from.tree.fileSystem, method, from.path, to.path);
  }

  async #inOneTree(oneName: string, otherName: string): Promise<readonly [Place, Place]> {
    const one = await this.#place(oneName);
    const other = await this.#place(otherName);
    if (one.tree === other.tree) return [one, other];
    await refuseLinkOnTheWay(one);
    await refuseLinkOnTheWay(other);
    throw new FileError("EXDEV");
  }
}

function toMountPath(path: string): string {
  const names = splitPath(path);
  if (!path.startsWith("/") || names.includes("..") || path.includes("\0")) {
    throw unusable(`${JSON.stringify(path)} is not an absolute path without ".."`);
  }
  return normalizePath(path);
}

function unusable(reason: string): ConfigurationError {
  return new ConfigurationError("mount", reason);
}

async function hasDirectory(tree: MountedTree, path: string): Promise<boolean> {
  const { fileSystem } = tree;
  if (fileSystem.lstat === undefined) return false;
  try {
    return (await fileSystem.lstat(tree.pathInside(path))).type === "directory";
  } catch (error) {
    if (error instanceof LinkInPathError || isMissing(error)) return false;
    throw error;
  }
}

/** A path that leads through a link may lead to another tree: that is to be known before the tree is at fault. */
async function refuseLinkOnTheWay({ tree, path }: Place): Promise<void> {
  try {
    await call(tree.fileSystem, "lstat", path);
  } catch (error) {
    if (error instanceof LinkInPathError) throw error;
  }
}
