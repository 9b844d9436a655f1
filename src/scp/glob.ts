import { setImmediate } from "node:timers/promises";
import { literalText } from "../base/shell-words.js";
import { FileError } from "../files/errors.js";
import type { GuardedFileSystem, OpenedDirectory } from "../files/guarded-file-system.js";
import { NamePattern } from "../files/name-pattern.js";
import { encodeName } from "../files/path.js";
import { PeerGoneError } from "./errors.js";

/** Paths that one pattern may stand for. */
const MAX_MATCHES = 10_000;

/** Names that are looked at for one pattern. */
const MAX_NAMES = 200_000;

/** Characters of a pattern for one name, which has at most 255 bytes. To match one takes as long as it is long. */
const MAX_PATTERN_LENGTH = 1024;

/** After so many steps others get their turn. */
const STEPS_PER_TURN = 16;

/** The session that a pattern is expanded for. */
interface GlobPeer {
  readonly hasLeft: boolean;
}

/** Finds the paths that a pattern stands for, as a shell does before it starts a program. */
export class Glob {
  readonly #tree: GuardedFileSystem;
  readonly #peer: GlobPeer;
  #names = 0;
  #steps = 0;

  constructor(tree: GuardedFileSystem, peer: GlobPeer) {
    this.#tree = tree;
    this.#peer = peer;
  }

  /**
   * @returns the paths in the order of their bytes; where there is none, the pattern itself without its backslashes
   * @throws {FileError} when there are too many, or the pattern is too long
   * @throws {PeerGoneError} when nobody waits for them any more
   */
  async expand(pattern: string): Promise<string[]> {
    const names = pattern.split("/").filter((name) => name !== "");
    const patterns = names.map((name) => new NamePattern(name));
    if (patterns.every(({ literal }) => literal !== undefined)) return [literalText(pattern)];
    if (names.some(({ length }) => length > MAX_PATTERN_LENGTH)) throw new FileError("ENAMETOOLONG");
    this.#names = 0;
    let paths = [pattern.startsWith("/") ? "/" : ""];
    for (const name of patterns) paths = await this.#descend(paths, name);
    const matches: string[] = [];
    for (const path of paths) if (await this.#exists(path, pattern.endsWith("/"))) matches.push(path);
    if (matches.length === 0) return [literalText(pattern)];
    return matches.sort((one, other) => Buffer.compare(encodeName(one), encodeName(other)));
  }

  async #descend(directories: readonly string[], pattern: NamePattern): Promise<string[]> {
    const { literal } = pattern;
    if (literal !== undefined) return directories.map((directory) => below(directory, literal));
    const paths: string[] = [];
    for (const directory of directories) {
      for await (const name of this.#list(directory)) {
        if (pattern.matches(name)) paths.push(below(directory, name));
        if (paths.length > MAX_MATCHES) throw tooMany();
      }
    }
    return paths;
  }

  async *#list(directory: string): AsyncGenerator<string> {
    const entries = await this.#open(directory);
    if (entries === undefined) return;
    try {
      for (let entry = await entries.next(); entry !== undefined; entry = await entries.next()) {
        if (++this.#names > MAX_NAMES) throw tooMany();
        await this.#step();
        yield entry.name;
      }
    } finally {
      await entries.return();
    }
  }

  /** Nothing matches below a file, or in a directory that may not be listed. */
  async #open(directory: string): Promise<OpenedDirectory["entries"] | undefined> {
    await this.#step();
    try {
      return (await this.#tree.opendir(directory)).entries;
    } catch {
      return undefined;
    }
  }

  async #exists(path: string, isToBeDirectory: boolean): Promise<boolean> {
    await this.#step();
    const attributes = await this.#tree.stat(path, "follow").catch(() => undefined);
    return isToBeDirectory ? attributes?.type === "directory" : attributes !== undefined;
  }

  async #step(): Promise<void> {
    if (++this.#steps % STEPS_PER_TURN === 0) await setImmediate();
    if (this.#peer.hasLeft) throw new PeerGoneError("the stream is closed");
  }
}

function below(directory: string, name: string): string {
  return directory === "" || directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}

function tooMany(): FileError {
  return new FileError("E2BIG");
}
