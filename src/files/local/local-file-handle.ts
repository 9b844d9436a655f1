import type { Stats } from "node:fs";
import type { AttributeChanges, FileAttributes, FileHandle, OpenOptions } from "../file-system.js";
import { applyChanges, attributesOf } from "./attributes.js";
import type { SystemCalls } from "./short-calls.js";
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

  async read(buffer: Buffer, position: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      // Clients ask for more than there is. The file most likely still ends where it ended when it was opened.
      const expected = this.#size - position - filled;
      const end = Math.min(buffer.length, filled + (expected > 0 ? expected : UNEXPECTED_LENGTH));
      const length = await this.#calls.read(this.#descriptor, buffer.subarray(filled, end), position + filled);
      if (length === 0) break;
      filled += length;
    }
    return filled;
  }

  write(data: Buffer, position: number): Promise<void> {
    // Not every system lets O_APPEND win over a position.
    return this.#writes.write(data, this.#appends ? null : position);
  }

  async stat(): Promise<FileAttributes> {
    return attributesOf(await this.#calls.fstat(this.#descriptor));
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

  async close(): Promise<void> {
    await this.#calls.close(this.#descriptor);
  }
}
