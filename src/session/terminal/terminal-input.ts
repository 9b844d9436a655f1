import { Readable } from "node:stream";
import type { ReadStream } from "node:tty";

/**
 * The keys of the client's terminal: a `Readable` with `isTTY`, `isRaw`, `setRawMode`, `ref` and `unref`. It has the type of
 * the process's own terminal, so that programs take it in its place; what belongs to sockets alone is not there.
 */
export type TerminalInput = ReadStream;

/** What the stream of keys needs of the terminal that it belongs to. */
export interface InputSource {
  /** More can be read. */
  resume(): void;
  setMode(mode: "raw" | "cooked"): void;
  /** Nobody reads any more. */
  release(): void;
}

/** The keys of a client's terminal, as `tty.ReadStream` gives those of the process's own. */
export class TerminalInputStream extends Readable {
  readonly isTTY = true;
  readonly #source: InputSource;
  #isRaw = false;

  constructor(source: InputSource) {
    super();
    this.#source = source;
    // A program need not listen: it hears from its session's signal, too.
    this.on("error", () => {});
  }

  get isRaw(): boolean {
    return this.#isRaw;
  }

  /** With `true` each byte is read as it was typed; with `false` lines are edited and echoed by the terminal's modes. */
  setRawMode(mode: boolean): this {
    this.#isRaw = Boolean(mode);
    this.#source.setMode(this.#isRaw ? "raw" : "cooked");
    return this;
  }

  /** There is no handle that would keep the process alive. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#source.release();
    callback(error);
  }
}
