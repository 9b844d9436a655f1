import fs, { constants, type Stats } from "node:fs";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { FileError, LinkInPathError } from "../errors.js";
import type { FileAttributes } from "../file-system.js";
import { encodeName, lastName, parentPath } from "../path.js";
import type { Directories, Directory } from "./directories.js";
import { lookAtEntries } from "./entry-attributes.js";
import { entryPath } from "./entry-path.js";
import { limitedCalls } from "./limited-calls.js";
import { type Mount, mountId, mountOf } from "./mount.js";
import { mountPointsIn } from "./mount-table.js";
import { RootDirectory } from "./root-directory.js";
import { promptCalls, queuedCalls, type SystemCalls } from "./short-calls.js";
import { close, openFollowing, type SystemPath } from "./system-calls.js";

/** Linux's O_PATH, which Node.js does not name: a descriptor that only says where something is. */
const O_PATH = 0o10000000;
const PIN = O_PATH | constants.O_NOFOLLOW;
const PIN_DIRECTORY = PIN | constants.O_DIRECTORY;

/** Milliseconds after which no directory is kept any more. */
const KEPT_FOR = 2000;

/** Directories that are kept for the next operation. */
const MAX_KEPT = 32;

/**
 * Directories on Linux. Each is held by a descriptor and reached as `/proc/self/fd/N`: nothing that happens to the names
 * that led to it can lead an operation elsewhere. It is opened name by name from the root, no link followed; those used
 * last are kept for a moment, and used again while the kernel says that they still are where they were.
 */
export class PinnedDirectories implements Directories {
  readonly #root: RootDirectory;
  /** The root's location by the kernel's word, as latin1; empty if it is the disk's own root. */
  #rootLocation = "";
  #rootMount: Mount = { id: undefined, isOfThisMachine: false };
  /** By path; those used last come last. */
  readonly #kept = new Map<string, PinnedDirectory>();

  /** @param rootPath absolute; it may lead through links */
  constructor(rootPath: string) {
    this.#root = new RootDirectory(rootPath);
  }

  acquire(path: string): MaybePromise<Directory> {
    if (!path.startsWith("/")) throw new FileError("EINVAL");
    const kept = this.#kept.get(path);
    if (kept !== undefined && this.#isInPlace(kept)) {
      this.#kept.delete(path);
      this.#kept.set(path, kept);
      return kept.use();
    }
    return this.#open(path);
  }

  async withEntry<T>(
    entry: SystemPath,
    calls: SystemCalls,
    operation: (path: SystemPath, stats: Stats) => Promise<T>,
  ): Promise<T> {
    const descriptor = await calls.openFollowing(entry, PIN);
    try {
      return await operation(descriptorPath(descriptor), await calls.fstat(descriptor));
    } finally {
      await close(descriptor);
    }
  }

  async #open(path: string): Promise<Directory> {
    const opened = path === "/" ? await this.#openRoot() : await this.#openEntry(path);
    this.#keep(path, opened);
    return opened;
  }

  /** The kernel knows without a look at the disk. */
  #isInPlace(directory: PinnedDirectory): boolean {
    try {
      return location(directory.systemPath) === this.#locationOf(directory.path);
    } catch {
      return false; // its path is now too long to be told
    }
  }

  async #openRoot(): Promise<PinnedDirectory> {
    return this.#root.use(async (rootPath) => {
      const descriptor = await openFollowing(rootPath, O_PATH | constants.O_DIRECTORY);
      try {
        const rootLocation = location(descriptorPath(descriptor));
        this.#rootLocation = rootLocation === "/" ? "" : rootLocation;
        this.#rootMount = await mountOf(descriptor);
      } catch (error) {
        await close(descriptor);
        throw error; // there is no /proc
      }
      return this.#pin(descriptor, "");
    });
  }

  async #openEntry(path: string): Promise<PinnedDirectory> {
    const parent = await this.acquire(parentPath(path));
    try {
      const name = lastName(path);
      const descriptor = await openDirectory(entryPath(parent.systemPath, name), parent.callsFor(name));
      return this.#pin(descriptor, encodeName(path).toString("latin1"));
    } finally {
      parent.release();
    }
  }

  #pin(descriptor: number, path: string): PinnedDirectory {
    const mountPoints = mountPointsIn(this.#locationOf(path));
    return new PinnedDirectory(descriptor, { path, mountPoints, calls: this.#calls(descriptor) });
  }

  /** Another file system that is mounted inside the root may be on another machine. */
  #calls(descriptor: number): SystemCalls {
    const { id, isOfThisMachine } = this.#rootMount;
    if (id === undefined) return queuedCalls;
    if (mountId(descriptor) !== id) return limitedCalls;
    return isOfThisMachine ? promptCalls : queuedCalls;
  }

  /** @param path below the root, as latin1 */
  #locationOf(path: string): string {
    return this.#rootLocation + path || "/";
  }

  #keep(path: string, directory: PinnedDirectory): void {
    if (this.#kept.size === 0) setTimeout(() => this.#forgetAll(), KEPT_FOR).unref();
    this.#forget(path);
    this.#kept.set(path, directory.use());
    if (this.#kept.size > MAX_KEPT) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#forget(oldest);
    }
  }

  #forget(path: string): void {
    this.#kept.get(path)?.release();
    this.#kept.delete(path);
  }

  #forgetAll(): void {
    for (const directory of this.#kept.values()) directory.release();
    this.#kept.clear();
  }
}

interface PinnedDirectorySettings {
  /** Below the root, as latin1; empty for the root. */
  readonly path: string;
  readonly calls: SystemCalls;
  /** Names of its entries at which something else is mounted. */
  readonly mountPoints: ReadonlySet<string>;
}

/** Closed when the last of its users has released it; whoever makes it is the first. */
class PinnedDirectory implements Directory {
  readonly systemPath: string;
  readonly path: string;
  readonly calls: SystemCalls;
  readonly #mountPoints: ReadonlySet<string>;
  readonly #descriptor: number;
  #users = 1;

  constructor(descriptor: number, { path, calls, mountPoints }: PinnedDirectorySettings) {
    this.#descriptor = descriptor;
    this.systemPath = descriptorPath(descriptor);
    this.path = path;
    this.calls = calls;
    this.#mountPoints = mountPoints;
  }

  callsFor(name: string): SystemCalls {
    return this.#mountPoints.has(name) ? limitedCalls : this.calls;
  }

  lookAt(names: readonly string[]): readonly (FileAttributes | undefined)[] {
    return this.calls === promptCalls && this.#mountPoints.size === 0 ? lookAtEntries(this.#descriptor, names) : [];
  }

  use(): this {
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users === 0) fs.close(this.#descriptor, () => {}); // nothing was written, nothing can be lost
  }
}

function descriptorPath(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

/** The location of a descriptor's directory, as latin1: a character for each byte. */
function location(systemPath: string): string {
  return fs.readlinkSync(systemPath, "latin1");
}

async function openDirectory(entry: SystemPath, calls: SystemCalls): Promise<number> {
  try {
    return await calls.openFollowing(entry, PIN_DIRECTORY);
  } catch (error) {
    if (systemErrorCode(error) === "ENOTDIR" && (await calls.lstat(entry)).isSymbolicLink()) {
      throw new LinkInPathError();
    }
    throw error;
  }
}
