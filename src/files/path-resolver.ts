import { setImmediate } from "node:timers/promises";
import { isThenable, type MaybePromise } from "../base/maybe-promise.js";
import { Semaphore } from "../base/semaphore.js";
import { AccessDeniedError } from "./access-denied-error.js";
import { FileError, isMissing, LinkInPathError } from "./errors.js";
import type { FileSystem } from "./file-system.js";
import { joinPath, MAX_PATH_LENGTH, normalizePath, parentPath, splitPath } from "./path.js";

/** Links that may be passed on the way to one file, as Linux has it. */
const MAX_LINKS = 40;

/** Names that may be passed on the way to one file: a path has some two thousand, and each link may lead to as many. */
const MAX_NAMES = 4096;

/** After so many names others get their turn: a file system may never wait. */
const NAMES_PER_TURN = 64;

/** The number of paths, of all sessions, that get so many names further in one turn of the event loop. */
const longPaths = new Semaphore(8);

/** The number of times that a path is resolved anew because a link has come into it in the meantime. */
const MAX_ATTEMPTS = 4;

/** Whether a link that is the last name of a path is followed. */
export type LastLink = "follow" | "keep";

export interface PathResolverOptions {
  /** Throws if a client must not know what there is at a canonical path. If absent, it may know all. */
  readonly demandKnown?: (path: string) => MaybePromise<void>;
  /** Throws if there is nothing at a canonical path for all that a client can see: no link, and no directory to come back from. */
  readonly demandVisible?: (path: string) => MaybePromise<void>;
  /** Fires when nobody waits for paths any more. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Leads from the paths that clients send to canonical ones without links. The methods of a file system follow no link;
 * here links are resolved, by their texts and inside the same tree, so that none can lead out of it. A path is first
 * tried as it is: most have no link in them.
 */
export class PathResolver {
  readonly #fileSystem: FileSystem;
  readonly #startDirectory: string;
  readonly #demandKnown: (path: string) => MaybePromise<void>;
  readonly #demandVisible: (path: string) => MaybePromise<void>;
  readonly #signal: AbortSignal | undefined;

  /** @param startDirectory the directory in which relative paths start */
  constructor(fileSystem: FileSystem, startDirectory: string, options: PathResolverOptions = {}) {
    this.#fileSystem = fileSystem;
    this.#startDirectory = startDirectory;
    this.#demandKnown = options.demandKnown ?? (() => {});
    this.#demandVisible = options.demandVisible ?? (() => {});
    this.#signal = options.signal;
  }

  /**
   * Runs `operation` with the canonical path. If it throws `LinkInPathError`, it runs again with the path that the
   * links lead to; if it throws `AccessDeniedError`, only if there are links, for the path behind them counts.
   */
  async run<T>(path: string, lastLink: LastLink, operation: (canonicalPath: string) => MaybePromise<T>): Promise<T> {
    return this.runPromptly(path, lastLink, operation);
  }

  /** The same, at once where that can be; it may throw. */
  runPromptly<T>(
    path: string,
    lastLink: LastLink,
    operation: (canonicalPath: string) => MaybePromise<T>,
  ): MaybePromise<T> {
    const names = this.#names(path);
    if (names.includes("..")) return this.#runResolved(path, lastLink, operation);
    const direct = `/${names.join("/")}`;
    const failed = async (error: unknown): Promise<T> => {
      const isOther = error instanceof AccessDeniedError && (await this.#leadsElsewhere(direct, lastLink));
      if (!isOther && !this.#canBeResolved(error)) throw error;
      return this.#runResolved(path, lastLink, operation);
    };
    try {
      const result = operation(direct);
      return isThenable(result) ? Promise.resolve(result).catch(failed) : result;
    } catch (error) {
      return failed(error);
    }
  }

  async #runResolved<T>(
    path: string,
    lastLink: LastLink,
    operation: (canonicalPath: string) => MaybePromise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await operation(await this.resolve(path, lastLink));
      } catch (error) {
        if (!this.#canBeResolved(error) || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /**
   * The canonical path without links. The last name need not exist, as in OpenSSH's REALPATH.
   *
   * @throws {FileError} when a name on the way is missing or not a directory, or there are too many links or names
   */
  async resolve(path: string, lastLink: LastLink): Promise<string> {
    const names = this.#names(path);
    const fileSystem = this.#fileSystem;
    if (fileSystem.lstat === undefined || fileSystem.readlink === undefined) return this.normalize(path);
    let resolved = "/";
    let links = 0;
    let passed = 0;
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      if (++passed > MAX_NAMES) throw new FileError("ELOOP");
      if (passed % NAMES_PER_TURN === 0) await this.#pause();
      if (name === "..") {
        resolved = parentPath(resolved);
        continue;
      }
      const next = joinPath(resolved, name);
      if (next.length > MAX_PATH_LENGTH) throw new FileError("ENAMETOOLONG");
      const isLast = names.length === 0;
      if (isLast && lastLink === "keep") return next;
      const type = await this.#type(next, isLast);
      if (type !== "symlink" && type !== "directory" && !isLast) {
        await this.#demandKnown(next);
        throw new FileError("ENOTDIR");
      }
      if (type === "symlink" || names[0] === "..") await this.#demandVisible(next);
      if (type === "symlink") {
        if (++links > MAX_LINKS) throw new FileError("ELOOP");
        const target = await fileSystem.readlink(next);
        names.unshift(...splitPath(target));
        if (target.startsWith("/")) resolved = "/";
      } else {
        resolved = next;
      }
    }
    return resolved;
  }

  /** The canonical path as its text has it, whatever is there. */
  normalize(path: string): string {
    return normalizePath(this.#names(path).join("/"));
  }

  async #pause(): Promise<void> {
    await longPaths.run(() => setImmediate());
    this.#signal?.throwIfAborted();
  }

  #names(path: string): string[] {
    return splitPath(path.startsWith("/") ? path : `${this.#startDirectory}/${path}`);
  }

  #canBeResolved(error: unknown): boolean {
    return error instanceof LinkInPathError && this.#fileSystem.readlink !== undefined;
  }

  /** Whether there are links in a path, as far as that can be found out. */
  async #leadsElsewhere(path: string, lastLink: LastLink): Promise<boolean> {
    try {
      return (await this.resolve(path, lastLink)) !== path;
    } catch {
      return false;
    }
  }

  async #type(path: string, mayBeMissing: boolean): Promise<string | undefined> {
    try {
      return (await this.#fileSystem.lstat?.(path))?.type;
    } catch (error) {
      if (mayBeMissing && isMissing(error)) return undefined;
      await this.#demandKnown(path);
      throw error;
    }
  }
}
