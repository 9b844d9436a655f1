import type { Stats } from "node:fs";
import type { ShortCalls } from "./short-calls.js";
import type { SystemPath } from "./system-calls.js";

/** How the directories of a tree are reached without a link on the way. */
export interface Directories {
  /**
   * @param path canonical
   * @throws {LinkInPathError} where a name in it is a link
   */
  acquire(path: string): Promise<Directory>;
  /** Runs `operation` on the very thing that an entry is: also where it is a link, no link is followed. */
  withEntry<T>(entry: SystemPath, operation: (path: SystemPath, stats: Stats) => Promise<T>): Promise<T>;
}

/** A directory that is in use until `release`. */
export interface Directory {
  /** Where the operating system finds it. */
  readonly systemPath: string;
  /** How its entries are opened and looked at. */
  readonly calls: ShortCalls;
  /** Called once. */
  release(): void;
}
