import type { MaybePromise } from "../../base/maybe-promise.js";
import type { ByteBudget } from "../byte-budget.js";
import type { FileAttributes } from "../file-system.js";

type Stat = () => MaybePromise<FileAttributes>;

/**
 * The size of a file that is open, as it counts. All handles of the file share it. It is never less than what the file
 * has on the disk: it grows before a write, to what the file may have when all writes are done, in whichever order; and
 * it shrinks when a look at the file has shown that it may.
 */
export class CountedFile {
  readonly #budget: ByteBudget;
  readonly #tellsLinks: boolean;
  #size: number;
  #hasNoName = false;
  #changesInFlight = 0;
  #changesBegun = 0;
  /** Bytes of the writes in flight that go to the end, wherever that will be. */
  #appending = 0;
  #mayBeShorter = false;

  /** @param attributes of the file as it is now */
  constructor(budget: ByteBudget, attributes: FileAttributes) {
    this.#budget = budget;
    this.#size = attributes.size;
    this.#tellsLinks = attributes.links !== undefined;
  }

  /**
   * Runs `write`, which leaves the file at least `end` bytes long.
   *
   * @throws {FileError} when the quota does not suffice; `write` does not run then
   */
  async write(end: number, stat: Stat, write: () => MaybePromise<void>): Promise<void> {
    if (this.#appending > 0) this.#mayBeShorter = true;
    await this.#change(end + this.#appending, stat, write);
  }

  /** The same for `length` bytes at the end. */
  async append(length: number, stat: Stat, write: () => MaybePromise<void>): Promise<void> {
    if (this.#changesInFlight > 0) this.#mayBeShorter = true;
    this.#appending += length;
    try {
      await this.#change(this.#size + length, stat, write);
    } finally {
      this.#appending -= length;
    }
  }

  /** The same for a change that may make the file shorter. */
  async resize(size: number, stat: Stat, resize: () => MaybePromise<void>): Promise<void> {
    this.#mayBeShorter = true;
    await this.#change(size + this.#appending, stat, resize);
  }

  /** Tells that a name of the file was removed: its only one, where its attributes do not tell how many there are. */
  async nameRemoved(stat: Stat): Promise<void> {
    this.#hasNoName ||= !this.#tellsLinks || (await attributesNow(stat))?.links === 0;
  }

  /** A file without a name is gone with its last handle. */
  lastHandleClosed(): void {
    if (this.#hasNoName) this.#budget.release(this.#size);
  }

  async #change(size: number, stat: Stat, change: () => MaybePromise<void>): Promise<void> {
    const growth = Math.max(0, size - this.#size);
    this.#budget.reserve(growth);
    this.#size += growth;
    this.#changesInFlight++;
    this.#changesBegun++;
    try {
      await change();
    } catch (error) {
      this.#mayBeShorter = true;
      throw error;
    } finally {
      this.#changesInFlight--;
      if (this.#mayBeShorter && this.#changesInFlight === 0) await this.#look(stat);
    }
  }

  /** If another change begins meanwhile, it is left to that to look. A file that cannot be looked at counts as before. */
  async #look(stat: Stat): Promise<void> {
    const changesBegun = this.#changesBegun;
    const attributes = await attributesNow(stat);
    if (attributes === undefined || this.#changesBegun !== changesBegun) return;
    this.#mayBeShorter = false;
    if (attributes.size > this.#size) this.#budget.charge(attributes.size - this.#size);
    else this.#budget.release(this.#size - attributes.size);
    this.#size = attributes.size;
  }
}

async function attributesNow(stat: Stat): Promise<FileAttributes | undefined> {
  try {
    return await stat();
  } catch {
    return undefined;
  }
}
