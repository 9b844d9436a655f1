import type { Socket } from "node:net";
import { SpareBlocks } from "../base/spare-blocks.js";

/** What is written together. */
const blocks = new SpareBlocks(128 * 1024, 32);

/** Gathers what is written to a socket in one turn of the event loop, which one call of the system takes together. */
export class GatheredWrites {
  readonly #socket: Socket;
  readonly #flushed: () => void;
  #block: Buffer | undefined;
  #length = 0;

  /** @param flushed called when what was gathered is written to the socket */
  constructor(socket: Socket, flushed: () => void) {
    this.#socket = socket;
    this.#flushed = flushed;
  }

  /** Bytes that were not written to the socket yet. */
  get length(): number {
    return this.#length;
  }

  /** Copies the bytes. */
  write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; ) {
      const block = this.#block ?? this.#begin();
      const part = bytes.subarray(offset, offset + block.length - this.#length);
      block.set(part, this.#length);
      this.#length += part.length;
      offset += part.length;
      if (this.#length === block.length) this.flush();
    }
  }

  readonly flush = (): void => {
    const block = this.#block;
    if (block === undefined) return;
    const bytes = block.subarray(0, this.#length);
    this.#block = undefined;
    this.#length = 0;
    this.#socket.write(bytes, () => blocks.giveBack(block));
    this.#flushed();
  };

  #begin(): Buffer {
    this.#block = blocks.take();
    setImmediate(this.flush);
    return this.#block;
  }
}
