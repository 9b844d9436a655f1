import { setImmediate } from "node:timers/promises";
import { isThenable, type MaybePromise } from "../base/maybe-promise.js";
import type { AccessGuard } from "./access-guard.js";
import type { EntryIterator } from "./entry-iterator.js";
import type { DirectoryEntry } from "./file-system.js";
import { joinPath } from "./path.js";

/** Entries in a row that are left out before others get their turn: a file system may never wait. */
const LEFT_OUT_PER_TURN = 64;

/** The entries of a directory without those that are hidden from the client. */
export function visibleEntries(entries: EntryIterator, directory: string, access: AccessGuard): EntryIterator {
  return access.canHide ? new VisibleEntries(entries, directory, access) : entries;
}

class VisibleEntries implements EntryIterator {
  readonly #entries: EntryIterator;
  readonly #directory: string;
  readonly #access: AccessGuard;

  constructor(entries: EntryIterator, directory: string, access: AccessGuard) {
    this.#entries = entries;
    this.#directory = directory;
    this.#access = access;
  }

  next(): MaybePromise<DirectoryEntry | undefined> {
    const entry = this.#entries.next();
    if (!isThenable(entry) && (entry === undefined || this.#hides(entry) === false)) return entry;
    return this.#search(entry);
  }

  return(): Promise<void> {
    return this.#entries.return();
  }

  async #search(first: MaybePromise<DirectoryEntry | undefined>): Promise<DirectoryEntry | undefined> {
    let entry = await first;
    for (let leftOut = 1; entry !== undefined && (await this.#hides(entry)); leftOut++) {
      if (leftOut % LEFT_OUT_PER_TURN === 0) await setImmediate();
      entry = await this.#entries.next();
    }
    return entry;
  }

  #hides({ name }: DirectoryEntry): MaybePromise<boolean> {
    return this.#access.hides(joinPath(this.#directory, name));
  }
}
