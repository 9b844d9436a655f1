import type { MaybePromise } from "../../base/maybe-promise.js";
import { FileError } from "../errors.js";
import type { SystemCalls } from "./short-calls.js";

/** Bytes that are written in one call. */
const MAX_BATCH_LENGTH = 1024 * 1024;

interface Write {
  readonly data: Buffer;
  /** Bytes from the start of the file; `null` for its end. */
  readonly position: number | null;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Writes to one file, one call after another: the kernel would not do two at once, and threads that wait for each other
 * cost as much as the writing. Data that has come meanwhile and follows on goes into one call.
 */
export class WriteQueue {
  readonly #descriptor: number;
  readonly #calls: SystemCalls;
  #waiting: Write[] = [];
  #isBusy = false;

  constructor(descriptor: number, calls: SystemCalls) {
    this.#descriptor = descriptor;
    this.#calls = calls;
  }

  /**
   * Writes all of `data`.
   *
   * @param position `null` for the end of the file
   */
  write(data: Buffer, position: number | null): MaybePromise<void> {
    if (this.#isBusy) return this.#add(data, position);
    const written = this.#calls.write(this.#descriptor, data, position);
    if (written === data.length) return undefined;
    const done = this.#add(data, position);
    void this.#run(written);
    return done;
  }

  #add(data: Buffer, position: number | null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ data, position, resolve, reject });
    });
  }

  /** @param written by the call that is made already, for the one write that waits */
  async #run(written: MaybePromise<number>): Promise<void> {
    this.#isBusy = true;
    let call: MaybePromise<number> | undefined = written;
    for (;;) {
      const [first, ...rest] = this.#takeBatch();
      if (first === undefined) break;
      try {
        this.#settle([first, ...rest], await (call ?? this.#call(first, rest)));
      } catch (error) {
        // Had a byte been written, the call would have told that instead: it is the first that cannot be written.
        first.reject(error);
        this.#waiting.unshift(...rest);
      }
      call = undefined;
    }
    this.#isBusy = false;
  }

  /** The writes that wait, as far as they go to one place. */
  #takeBatch(): Write[] {
    let count = 0;
    let length = 0;
    let end: number | null | undefined;
    for (const { data, position } of this.#waiting) {
      if (count > 0 && (position !== end || length + data.length > MAX_BATCH_LENGTH)) break;
      end = position === null ? null : position + data.length;
      length += data.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #call({ data, position }: Write, rest: readonly Write[]): Promise<number> {
    if (rest.length === 0) return this.#calls.write(this.#descriptor, data, position);
    return this.#calls.writev(this.#descriptor, [data, ...rest.map((write) => write.data)], position);
  }

  /** Ends the writes that are done, and puts the others back in front. */
  #settle(batch: readonly Write[], written: number): void {
    let left = written;
    const undone: Write[] = [];
    for (const write of batch) {
      const { data, position } = write;
      if (left >= data.length) write.resolve();
      else undone.push({ ...write, data: data.subarray(left), position: position === null ? null : position + left });
      left = Math.max(0, left - data.length);
    }
    if (written === 0 && undone.length > 0) throw new FileError("EIO");
    this.#waiting.unshift(...undone);
  }
}
