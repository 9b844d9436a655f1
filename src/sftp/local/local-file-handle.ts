import type { Stats } from "node:fs";
import type { AttributeChanges, FileAttributes, FileHandle, OpenOptions } from "../file-system.js";
import { applyChanges, attributesOf } from "./attributes.js";
import { close, fchmod, fchown, fstat, fsync, ftruncate, futimes, read, write } from "./system-calls.js";

/** A regular file on the disk, open. */
export class LocalFileHandle implements FileHandle {
  readonly identity: string;
  readonly #descriptor: number;
  readonly #appends: boolean;
  /** Bytes, when it was opened. */
  readonly #size: number;

  /** @param descriptor closed by this handle's `close` */
  constructor(descriptor: number, stats: Stats, options: OpenOptions) {
    this.identity = `${stats.dev}:${stats.ino}`;
    this.#descriptor = descriptor;
    this.#appends = options.append;
    this.#size = stats.size;
  }

  async read(buffer: Buffer, position: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const length = await read(this.#descriptor, buffer, filled, position + filled);
      filled += length;
      // Where the file ended when it was opened, it most likely ends still: not worth another call to learn it.
      if (length === 0 || position + filled === this.#size) break;
    }
    return filled;
  }

  async write(data: Buffer, position: number): Promise<void> {
    let written = 0;
    while (written < data.length) {
      // Not every system lets O_APPEND win over a position.
      const place = this.#appends ? null : position + written;
      written += await write(this.#descriptor, data, written, place);
    }
  }

  async stat(): Promise<FileAttributes> {
    return attributesOf(await fstat(this.#descriptor));
  }

  async setstat(changes: AttributeChanges): Promise<void> {
    const descriptor = this.#descriptor;
    await applyChanges(changes, {
      truncate: (size) => ftruncate(descriptor, size),
      chown: (uid, gid) => fchown(descriptor, uid, gid),
      chmod: (permissions) => fchmod(descriptor, permissions),
      utimes: (accessTime, modifyTime) => futimes(descriptor, accessTime, modifyTime),
    });
  }

  async fsync(): Promise<void> {
    await fsync(this.#descriptor);
  }

  async close(): Promise<void> {
    await close(this.#descriptor);
  }
}
