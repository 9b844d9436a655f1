import type { MaybePromise } from "../../base/maybe-promise.js";
import type { CountedSize, Look, Seen } from "../../base/quota-ledger.js";
import { FileError } from "../errors.js";
import type { FileAttributes } from "../file-system.js";

type Stat = () => MaybePromise<FileAttributes>;

/**
 * The size of a file that is open, as it counts. All handles of the file share it. It is never less than what the file
 * has on the disk: it grows before a write, to what the file may have when all writes are done, in whichever order; and
 * it shrinks when a look at the file has shown that it may.
 */
export class CountedFile {
  readonly #counted: CountedSize;
  readonly #tellsLinks: boolean;
  #changesInFlight = 0;
  #changesBegun = 0;
  #mayBeShorter = false;

  /** @param attributes of the file as it is now */
  constructor(counted: CountedSize, attributes: FileAttributes) {
    this.#counted = counted;
    this.#tellsLinks = attributes.links !== undefined;
  }

  /**
   * Runs `write`, which leaves the file at least `end` bytes long.
   *
   * @throws {FileError} when the quota does not suffice; `write` does not run then
   */
  async write(end: number, stat: Stat, write: () => MaybePromise<void>): Promise<void> {
    if (this.#counted.appending > 0) this.#mayBeShorter = true;
    await this.#change(end + this.#counted.appending, 0, stat, write);
  }

  /** The same for `length` bytes at the end. */
  async append(length: number, stat: Stat, write: () => MaybePromise<void>): Promise<void> {
    if (this.#changesInFlight > 0) this.#mayBeShorter = true;
    await this.#change(this.#counted.size + length, length, stat, write);
  }

  /** The same for a change that may make the file shorter. */
  async resize(size: number, stat: Stat, resize: () => MaybePromise<void>): Promise<void> {
    this.#mayBeShorter = true;
    await this.#change(size + this.#counted.appending, 0, stat, resize);
  }

  /** Tells that a name of the file was removed: its only one, where its attributes do not tell how many there are. */
  async nameRemoved(stat: Stat): Promise<void> {
    if (!this.#tellsLinks || (await attributesNow(stat))?.links === 0) await this.#counted.unnamed();
  }

  /** To be called while the file can still be looked at. */
  closingLastHandle(stat: Stat): MaybePromise<void> {
    return this.#counted.settle(lookBy(stat));
  }

  /** A file without a name is gone with its last handle. */
  lastHandleClosed(): MaybePromise<void> {
    return this.#counted.leave();
  }

  async #change(size: number, appended: number, stat: Stat, change: () => MaybePromise<void>): Promise<void> {
    const hasRoom = this.#counted.claim(size, appended);
    if (hasRoom === false) throw new FileError("EDQUOT");
    this.#changesInFlight++;
    this.#changesBegun++;
    this.#counted.appending += appended;
    try {
      if (hasRoom !== true && !(await hasRoom)) throw new FileError("EDQUOT");
      await change();
    } catch (error) {
      this.#mayBeShorter = true;
      throw error;
    } finally {
      this.#changesInFlight--;
      this.#counted.appending -= appended;
      if (this.#mayBeShorter && this.#changesInFlight === 0) await this.#look(stat);
    }
  }

  /**
   * If another change begins before this is over, it is left to that to look: what was seen may be counted by then, and
   * not yet told. A file that cannot be looked at counts as before.
   */
  async #look(stat: Stat): Promise<void> {
    const changesBegun = this.#changesBegun;
    try {
      const isCounted = await this.#counted.look(lookBy(stat), () => this.#changesBegun === changesBegun);
      if (isCounted && this.#changesBegun === changesBegun) this.#mayBeShorter = false;
    } catch {
      // It counts as before.
    }
  }
}

function lookBy(stat: Stat): Look {
  return async () => seenOf(await stat());
}

export function seenOf({ size, links }: FileAttributes): Seen {
  return { size, isUnnamed: links === 0 };
}

async function attributesNow(stat: Stat): Promise<FileAttributes | undefined> {
  try {
    return await stat();
  } catch {
    return undefined;
  }
}
