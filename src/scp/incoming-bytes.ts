import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { FatalError } from "./errors.js";

/** Limits of the data that may wait to be read before the stream is paused. */
const MAX_WAITING_BYTES = 256 * 1024;
const MAX_WAITING_CHUNKS = 64;

/** Shorter chunks are copied, bytes: as views they may keep far more memory alive. */
const SMALL_CHUNK_LENGTH = 1024;

/** After so many pieces that were there already others get their turn. */
const PIECES_PER_TURN = 128;

const NEWLINE = 0x0a;

/** The bytes of a stream, to be read as needed: as bytes, lines, or into a buffer, without a copy in between. */
export class IncomingBytes {
  readonly #stream: Readable;
  readonly #chunks: Buffer[] = [];
  #waiting = 0;
  #pieces = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on("data", this.#receive);
    stream.on("end", this.#end);
    stream.on("close", this.#end);
    if (stream.readableEnded || stream.destroyed) this.#ended = true;
  }

  /** The next byte; `undefined` at the end. */
  async readByte(): Promise<number | undefined> {
    const chunk = await this.#next();
    if (chunk === undefined) return undefined;
    this.#consume(1);
    return chunk[0];
  }

  /**
   * The bytes up to the next newline, without it; `undefined` where the stream ends first.
   *
   * @throws {FatalError} when there are more than `maximum`
   */
  async readLine(maximum: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const chunk = await this.#next();
      if (chunk === undefined) return undefined;
      const newline = chunk.subarray(0, maximum - length + 1).indexOf(NEWLINE);
      const part = newline === -1 ? chunk : chunk.subarray(0, newline);
      length += part.length;
      if (length > maximum) throw new FatalError("protocol error: line too long");
      parts.push(part);
      this.#consume(newline === -1 ? part.length : part.length + 1);
      if (newline !== -1) return Buffer.concat(parts);
    }
  }

  /** Fills a buffer. @returns how many bytes there were: fewer than the buffer holds only at the end of the stream */
  async fill(buffer: Buffer): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const chunk = await this.#next();
      if (chunk === undefined) break;
      const length = chunk.copy(buffer, filled);
      filled += length;
      this.#consume(length);
    }
    return filled;
  }

  /** Leaves the stream to others; what is unread is dropped. */
  release(): void {
    this.#stream.off("data", this.#receive);
    this.#stream.off("end", this.#end);
    this.#stream.off("close", this.#end);
    this.#chunks.length = 0;
    this.#end();
  }

  /** The next chunk, to be consumed; `undefined` at the end. */
  async #next(): Promise<Buffer | undefined> {
    if (++this.#pieces % PIECES_PER_TURN === 0) await setImmediate();
    while (this.#chunks.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#chunks[0];
  }

  #consume(length: number): void {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return;
    this.#waiting -= length;
    if (length === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(length);
    if (this.#stream.isPaused() && !this.#isFull) this.#stream.resume();
  }

  get #isFull(): boolean {
    return this.#waiting >= MAX_WAITING_BYTES || this.#chunks.length >= MAX_WAITING_CHUNKS;
  }

  readonly #receive = (chunk: Buffer): void => {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk.length < SMALL_CHUNK_LENGTH ? Buffer.from(chunk) : chunk);
    this.#waiting += chunk.length;
    if (this.#isFull) this.#stream.pause();
    this.#wake?.();
  };

  readonly #end = (): void => {
    this.#ended = true;
    this.#wake?.();
  };
}
