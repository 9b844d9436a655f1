import type { Stats } from "node:fs";
import { isThenable, type MaybePromise, whenDone } from "../../base/maybe-promise.js";
import type { AttributeChanges, FileAttributes, FileHandle, OpenOptions } from "../file-system.js";
import { applyChanges, attributesOf } from "./attributes.js";
import { promptCalls, type SystemCalls } from "./short-calls.js";
import { WriteQueue } from "./write-queue.js";

/** Bytes that are read at a time where no more were expected. */
const UNEXPECTED_LENGTH = 32 * 1024;

/** A regular file on the disk, open. */
export class LocalFileHandle implements FileHandle {
  readonly identity: string;
  readonly #descriptor: number;
  readonly #calls: SystemCalls;
  readonly #writes: WriteQueue;
  readonly #appends: boolean;
  /** Bytes, when it was opened. */
  readonly #size: number;

  /** @param descriptor closed by this handle's `close` */
  constructor(descriptor: number, stats: Stats, options: OpenOptions, calls: SystemCalls) {
    this.identity = `${stats.dev}:${stats.ino}`;
    this.#descriptor = descriptor;
    this.#calls = calls;
    this.#writes = new WriteQueue(descriptor, calls);
    this.#appends = options.append;
    this.#size = stats.size;
  }

  read(buffer: Buffer, position: number): MaybePromise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const part = this.#nextPart(buffer, position, filled);
      const length = this.#calls.read(this.#descriptor, part, position + filled);
      if (isThenable(length)) return this.#readRest(buffer, position, filled, part, length);
      filled += length;
      if (this.#isLast(length, part)) break;
    }
    return filled;
  }

  write(data: Buffer, position: number): MaybePromise<void> {
    // Not every system lets O_APPEND win over a position.
    return this.#writes.write(data, this.#appends ? null : position);
  }

  stat(): MaybePromise<FileAttributes> {
    return whenDone(this.#calls.fstat(this.#descriptor), attributesOf);
  }

  async setstat(changes: AttributeChanges): Promise<void> {
    const descriptor = this.#descriptor;
    const calls = this.#calls;
    await applyChanges(changes, {
      truncate: (size) => calls.ftruncate(descriptor, size),
      chown: (uid, gid) => calls.fchown(descriptor, uid, gid),
      chmod: (permissions) => calls.fchmod(descriptor, permissions),
      utimes: (accessTime, modifyTime) => calls.futimes(descriptor, accessTime, modifyTime),
    });
  }

  async fsync(): Promise<void> {
    await this.#calls.fsync(this.#descriptor);
  }

  close(): MaybePromise<void> {
    return this.#calls.close(this.#descriptor);
  }

  /** @param begun the reading of `part`, which has begun */
  async #readRest(
    buffer: Buffer,
    position: number,
    start: number,
    firstPart: Buffer,
    begun: Promise<number>,
  ): Promise<number> {
    let filled = start;
    let part = firstPart;
    let reading: MaybePromise<number> = begun;
    for (;;) {
      const length = await reading;
      filled += length;
      if (filled === buffer.length || this.#isLast(length, part)) return filled;
      part = this.#nextPart(buffer, position, filled);
      reading = this.#calls.read(this.#descriptor, part, position + filled);
    }
  }

  /** @param filled bytes of the buffer that are read already */
  #nextPart(buffer: Buffer, position: number, filled: number): Buffer {
    // Clients ask for more than there is. The file most likely still ends where it ended when it was opened: one byte
    // more shows it.
    const expected = this.#size - position - filled;
    const end = Math.min(buffer.length, filled + (expected > 0 ? expected + 1 : UNEXPECTED_LENGTH));
    return filled === 0 && end === buffer.length ? buffer : buffer.subarray(filled, end);
  }

  /** Whether the file ends where a call has stopped. Only a disk of this machine stops nowhere else. */
  #isLast(length: number, part: Buffer): boolean {
    return length === 0 || (length < part.length && this.#calls === promptCalls);
  }
}
