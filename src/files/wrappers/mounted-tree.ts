import type { FileSystem } from "../file-system.js";
import { isWithin, parentPath, splitPath } from "../path.js";

/** A file system at its place among others. */
export class MountedTree {
  readonly mountPath: string;
  readonly fileSystem: FileSystem;
  /** Paths in the tree on the way to mount points of others, the deepest first. Its root is not one of them. */
  readonly junctions: readonly string[];

  constructor(mountPath: string, fileSystem: FileSystem, junctions: readonly string[] = []) {
    this.mountPath = mountPath;
    this.fileSystem = fileSystem;
    this.junctions = junctions;
  }

  /** The tree's own name for a path that lies in it. */
  pathInside(path: string): string {
    return this.mountPath === "/" ? path : path.slice(this.mountPath.length) || "/";
  }

  /** The target of a link in the tree, as it reads from outside. */
  targetOutside(target: string): string {
    if (this.mountPath === "/" || !target.startsWith("/")) return target;
    const rest = climbs(target) ? withoutClimbing(target) : target;
    return rest === "/" ? this.mountPath : this.mountPath + rest;
  }

  /** The target of a link, as the tree itself is to store it; `undefined` where it has no name for it. */
  targetInside(target: string): string | undefined {
    if (this.mountPath === "/" || !target.startsWith("/")) return target;
    if (!isWithin(target, this.mountPath)) return undefined;
    const inside = this.pathInside(target);
    return climbs(inside) ? undefined : inside;
  }
}

/** The directories that a canonical path lies in, the deepest first; for the root, none. */
export function directoriesAbove(path: string): string[] {
  const directories: string[] = [];
  for (let at = path; at !== "/"; ) {
    at = parentPath(at);
    directories.push(at);
  }
  return directories;
}

/** Whether an absolute target starts with `..`, which stays at the root. */
function climbs(target: string): boolean {
  return splitPath(target)[0] === "..";
}

function withoutClimbing(target: string): string {
  const names = splitPath(target);
  while (names[0] === "..") names.shift();
  return `/${names.join("/")}`;
}
