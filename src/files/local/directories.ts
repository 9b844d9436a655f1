import type { Stats } from "node:fs";
import type { MaybePromise } from "../../base/maybe-promise.js";
import type { FileAttributes } from "../file-system.js";
import type { SystemCalls } from "./short-calls.js";
import type { SystemPath } from "./system-calls.js";

/** A way to reach the directories of a tree without a link on the way. */
export interface Directories {
  /**
   * @param path canonical
   * @throws {LinkInPathError} where a name in it is a link
   */
  acquire(path: string): MaybePromise<Directory>;
  /** Runs `operation` on the very thing that an entry is: also where it is a link, no link is followed. */
  withEntry<T>(
    entry: SystemPath,
    calls: SystemCalls,
    operation: (path: SystemPath, stats: Stats) => Promise<T>,
  ): Promise<T>;
}

/** A directory that is in use until `release`. */
export interface Directory {
  /** The path by which the operating system finds it. */
  readonly systemPath: string;
  /** The calls for the directory itself. */
  readonly calls: SystemCalls;
  /** The calls for its entry `name`: something else may be mounted there. */
  callsFor(name: string): SystemCalls;
  /**
   * Attributes of the first of its entries, or of none: what can be told at once.
   *
   * @param names as latin1, a character for each byte
   */
  lookAt(names: readonly string[]): readonly (FileAttributes | undefined)[];
  /** Called once. */
  release(): void;
}
