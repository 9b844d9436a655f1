import { setImmediate } from "node:timers/promises";
import { isThenable, type MaybePromise } from "../../base/maybe-promise.js";
import { endFile } from "../end-file.js";
import { COMPLETED } from "../file-outcome.js";
import type { AttributeChanges, FileAttributes, FileHandle } from "../file-system.js";
import { readBytes } from "../read-bytes.js";
import { callHandle } from "./methods.js";

/** Bytes that are copied at a time. */
const BLOCK_LENGTH = 256 * 1024;

/** The file that is there, open to be read, or why it cannot be. */
export type OldFile = { readonly handle: FileHandle } | { readonly error: unknown };

/** The staged file, through a handle that is open now. */
export interface Staged extends Required<Pick<FileHandle, "write" | "setstat">> {
  /** Fires when nobody waits for it any more. */
  readonly signal: AbortSignal | undefined;
}

/**
 * The old content of a file that is written without being emptied first, as `scp` does it. The staged file has what was
 * written from the start without a gap. What lies behind that is still in the old file alone, and is copied only where it
 * turns out to stay.
 */
export class OldContent {
  readonly #old: OldFile;
  /** Bytes from the start that the staged file has, when the writes under way are done. */
  #staged = 0;
  /** Up to here, what is not staged is as the old file has it. */
  #end: number;
  #copying: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isTouched = false;
  #isReleased = false;
  #changes: AttributeChanges = {};
  /** Set since the last change of the content. */
  #times: AttributeChanges["times"];

  /** @param size of the old file */
  constructor(old: OldFile, size: number) {
    this.#old = old;
    this.#end = size;
  }

  /** Whether the staged file is not the whole one. */
  get isNeeded(): boolean {
    return this.#staged < this.#end;
  }

  /** Whether the content is to stay as it was. */
  get isUntouched(): boolean {
    return !this.#isTouched;
  }

  /** The attributes of the whole file. */
  of(staged: FileAttributes): FileAttributes {
    return this.isNeeded ? { ...staged, size: this.#end } : staged;
  }

  /** Writes to the staged file, behind a copy of what would otherwise be missing in front of it. */
  write(staged: Staged, data: Buffer, position: number): MaybePromise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#copying !== undefined) return this.#copying.then(() => this.write(staged, data, position));
    if (data.length > 0) {
      this.#isTouched = true;
      this.#times = undefined;
      if (this.isNeeded && position > this.#staged) {
        return this.#copy(staged, Math.min(position, this.#end)).then(() => this.write(staged, data, position));
      }
      this.#staged = Math.max(this.#staged, position + data.length);
    }
    try {
      const written = staged.write(data, position);
      return isThenable(written) ? Promise.resolve(written).catch(this.#fail) : written;
    } catch (error) {
      return this.#fail(error);
    }
  }

  async setstat(staged: Staged, { size, ...others }: AttributeChanges): Promise<void> {
    await this.#settled();
    if (size === undefined) await staged.setstat(others);
    else await this.#resize(staged, size, others).catch(this.#fail);
    this.#changes = { ...this.#changes, ...others };
    this.#times = others.times ?? this.#times;
  }

  /** Copies all that is still missing in the staged file. */
  async copyRest(staged: Staged): Promise<void> {
    await this.#settled();
    if (!this.isNeeded) return;
    await this.#copy(staged, this.#end);
    if (this.#times !== undefined) await staged.setstat({ times: this.#times });
  }

  /** Gives the old file the attributes that the staged one was given. */
  async changeOld(): Promise<void> {
    if (Object.keys(this.#changes).length === 0) return;
    if ("error" in this.#old) throw this.#old.error;
    await callHandle(this.#old.handle, "setstat", this.#changes);
  }

  /** Closes the old file, once: some systems replace no file that is open. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if ("handle" in this.#old) await endFile(this.#old.handle, COMPLETED);
  }

  async #resize(staged: Staged, size: number, others: AttributeChanges): Promise<void> {
    this.#isTouched = true;
    this.#times = undefined;
    if (this.isNeeded && size > this.#staged && size <= this.#end) {
      this.#end = size;
      if (Object.keys(others).length > 0) await staged.setstat(others);
      return;
    }
    if (this.isNeeded && size > this.#end) await this.#copy(staged, this.#end);
    await staged.setstat({ ...others, size });
    // Nothing of the old file is left.
    this.#end = 0;
  }

  async #settled(): Promise<void> {
    while (this.#copying !== undefined) await this.#copying;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #copy(staged: Staged, end: number): Promise<void> {
    const copying = this.#copyTo(staged, end)
      .catch(this.#fail)
      .finally(() => {
        this.#copying = undefined;
      });
    this.#copying = copying;
    return copying;
  }

  async #copyTo(staged: Staged, end: number): Promise<void> {
    if ("error" in this.#old) throw this.#old.error;
    const block = Buffer.allocUnsafe(Math.min(BLOCK_LENGTH, end - this.#staged));
    let endsInHole = false;
    while (this.#staged < end) {
      staged.signal?.throwIfAborted();
      const part = block.subarray(0, Math.min(block.length, end - this.#staged));
      const count = await readBytes(this.#old.handle, part, this.#staged);
      if (count === 0) {
        // Somebody has cut the old file.
        this.#end = this.#staged;
        break;
      }
      const data = part.subarray(0, count);
      // A file of holes may be larger than the disk.
      endsInHole = isZero(data);
      if (!endsInHole) await staged.write(data, this.#staged);
      this.#staged += count;
      // A file system that never waits would let nobody else in.
      await setImmediate();
    }
    if (endsInHole) await staged.setstat({ size: this.#staged });
  }

  readonly #fail = (error: unknown): never => {
    this.#failure ??= { error };
    throw error;
  };
}

function isZero(data: Buffer): boolean {
  return data[0] === 0 && data.subarray(1).equals(data.subarray(0, -1));
}
