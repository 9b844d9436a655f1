import { writeSync } from "node:fs";
import { Writable } from "node:stream";
import { isError } from "../../base/is-error.js";
import { systemErrorCode } from "../../base/system-error-code.js";

type WriteCallback = (error?: Error) => void;

/** The shortest and the longest wait for a program that does not read what is typed, milliseconds. */
const SHORTEST_WAIT = 1;
const LONGEST_WAIT = 64;

/**
 * What is typed on a terminal. Its writes never block: Node.js would write to a terminal until its program reads, and serve nobody
 * meanwhile.
 */
export class TerminalInput extends Writable {
  readonly #descriptor: number;
  readonly #isOpen: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  /** @param descriptor of our end of the terminal; it does not block */
  constructor(descriptor: number, isOpen: () => boolean) {
    super();
    this.#descriptor = descriptor;
    this.#isOpen = isOpen;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#writeFrom(chunk, 0, SHORTEST_WAIT, callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    callback(error);
  }

  #writeFrom(chunk: Buffer, offset: number, wait: number, callback: WriteCallback): void {
    let written = 0;
    try {
      // The number may be that of another file once the terminal is closed.
      if (!this.#isOpen()) throw new Error("the terminal is closed");
      written = writeSync(this.#descriptor, chunk, offset);
    } catch (error) {
      if (!isFull(error)) {
        callback(isError(error) ? error : new Error("the terminal cannot be written to"));
        return;
      }
    }
    const next = offset + written;
    if (next === chunk.length) {
      callback();
      return;
    }
    const nextWait = written > 0 ? SHORTEST_WAIT : Math.min(wait * 2, LONGEST_WAIT);
    this.#timer = setTimeout(() => this.#writeFrom(chunk, next, nextWait, callback), wait);
  }
}

function isFull(error: unknown): boolean {
  return systemErrorCode(error) === "EAGAIN";
}
