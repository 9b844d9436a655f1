import { isThenable, type MaybePromise } from "../base/maybe-promise.js";
import type { DirectoryEntry, FileSystem } from "./file-system.js";
import { isDots } from "./path.js";

/** Gives the entries of a directory one by one. */
export interface EntryIterator {
  /** The next one, at once where it is known; `undefined` behind the last. */
  next(): MaybePromise<DirectoryEntry | undefined>;
  /** Called once, when no more are wanted. */
  return(): Promise<void>;
}

/** Entries that are found many at a time: a caller that knows this need not wait for each. */
export abstract class BatchedEntries implements AsyncIterable<DirectoryEntry> {
  abstract batches(): AsyncGenerator<readonly DirectoryEntry[], void>;

  async *[Symbol.asyncIterator](): AsyncGenerator<DirectoryEntry, void> {
    for await (const batch of this.batches()) yield* batch;
  }
}

/**
 * The entries of a directory without `.` and `..`, whether the file system lists them or not: a walk down a tree must not
 * meet them, and clients get them from the server.
 */
export function iterateEntries(entries: ReturnType<NonNullable<FileSystem["readdir"]>>): EntryIterator {
  if (entries instanceof BatchedEntries) return new BatchIterator(entries.batches());
  const iterator = Symbol.asyncIterator in entries ? entries[Symbol.asyncIterator]() : entries[Symbol.iterator]();
  return {
    async next() {
      for (;;) {
        const result = await iterator.next();
        if (result.done === true) return undefined;
        if (!isDots(result.value.name)) return result.value;
      }
    },
    async return() {
      await iterator.return?.();
    },
  };
}

class BatchIterator implements EntryIterator {
  readonly #batches: AsyncGenerator<readonly DirectoryEntry[], void>;
  #batch: readonly DirectoryEntry[] = [];
  #next = 0;

  constructor(batches: AsyncGenerator<readonly DirectoryEntry[], void>) {
    this.#batches = batches;
  }

  next(): MaybePromise<DirectoryEntry | undefined> {
    for (;;) {
      const entry = this.#batch[this.#next++];
      if (entry === undefined) return this.#fetch();
      if (!isDots(entry.name)) return entry;
    }
  }

  async return(): Promise<void> {
    await this.#batches.return();
  }

  async #fetch(): Promise<DirectoryEntry | undefined> {
    const { done, value } = await this.#batches.next();
    if (done === true) return undefined;
    this.#batch = value;
    this.#next = 0;
    const next = this.next();
    return isThenable(next) ? await next : next;
  }
}
