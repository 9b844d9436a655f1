import fs, { constants, type Stats } from "node:fs";
import { LinkInPathError, systemError, systemErrorCode } from "../errors.js";
import { encodeName, lastName, parentPath } from "../path.js";
import type { Directories, Directory } from "./directories.js";
import { entryPath } from "./entry-path.js";
import { type Mount, mountId, mountOf } from "./mount.js";
import { RootDirectory } from "./root-directory.js";
import { promptCalls, queuedCalls, type ShortCalls } from "./short-calls.js";
import { close, fstat, lstat, openFollowing, type SystemPath } from "./system-calls.js";

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
  /** Where the root lies by the kernel's word, as latin1; empty if it is the disk's own root. */
  #rootLocation = "";
  #rootMount: Mount = { id: undefined, isOfThisMachine: false };
  /** By path; those used last come last. */
  readonly #kept = new Map<string, PinnedDirectory>();

  /** @param rootPath absolute; it may lead through links */
  constructor(rootPath: string) {
    this.#root = new RootDirectory(rootPath);
  }

  async acquire(path: string): Promise<Directory> {
    if (!path.startsWith("/")) throw systemError("EINVAL");
    const kept = this.#kept.get(path);
    if (kept !== undefined && this.#isInPlace(kept)) {
      this.#kept.delete(path);
      this.#kept.set(path, kept);
      return kept.use();
    }
    const opened = path === "/" ? await this.#openRoot() : await this.#openEntry(path);
    this.#keep(path, opened);
    return opened;
  }

  async withEntry<T>(entry: SystemPath, operation: (path: SystemPath, stats: Stats) => Promise<T>): Promise<T> {
    const descriptor = await openFollowing(entry, PIN);
    try {
      return await operation(descriptorPath(descriptor), await fstat(descriptor));
    } finally {
      await close(descriptor);
    }
  }

  /** The kernel knows without a look at the disk. */
  #isInPlace(directory: PinnedDirectory): boolean {
    try {
      return location(directory.systemPath) === (this.#rootLocation + directory.location || "/");
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
      return new PinnedDirectory(descriptor, "", this.#calls(descriptor));
    });
  }

  async #openEntry(path: string): Promise<PinnedDirectory> {
    const parent = await this.acquire(parentPath(path));
    try {
      const descriptor = await openDirectory(entryPath(parent.systemPath, lastName(path)));
      return new PinnedDirectory(descriptor, encodeName(path).toString("latin1"), this.#calls(descriptor));
    } finally {
      parent.release();
    }
  }

  /** Another file system that is mounted inside the root may be on another machine. */
  #calls(descriptor: number): ShortCalls {
    const { id, isOfThisMachine } = this.#rootMount;
    return isOfThisMachine && id !== undefined && mountId(descriptor) === id ? promptCalls : queuedCalls;
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

/** Closed when the last of its users has released it; whoever makes it is the first. */
class PinnedDirectory implements Directory {
  readonly systemPath: string;
  /** Its path below the root, as latin1; empty for the root. */
  readonly location: string;
  readonly calls: ShortCalls;
  readonly #descriptor: number;
  #users = 1;

  constructor(descriptor: number, location: string, calls: ShortCalls) {
    this.#descriptor = descriptor;
    this.systemPath = descriptorPath(descriptor);
    this.location = location;
    this.calls = calls;
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

/** Where a descriptor's directory lies, as latin1: a character for each byte. */
function location(systemPath: string): string {
  return fs.readlinkSync(systemPath, "latin1");
}

async function openDirectory(entry: SystemPath): Promise<number> {
  try {
    return await openFollowing(entry, PIN_DIRECTORY);
  } catch (error) {
    if (systemErrorCode(error) === "ENOTDIR" && (await lstat(entry)).isSymbolicLink()) throw new LinkInPathError();
    throw error;
  }
}
