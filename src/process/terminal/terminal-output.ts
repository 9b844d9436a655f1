import { readSync } from "node:fs";
import { Readable } from "node:stream";
import { ReadStream } from "node:tty";

/** More than the system keeps of a terminal's output, bytes: 64 KiB. Another program may open the terminal meanwhile and write on. */
const MAX_REST = 256 * 1024;

/** The system gives 4 KiB at a time. */
const READ_LENGTH = 4096;

/** What programs show on a terminal, to the last byte: Node.js takes the end of the last program for the end of its output. */
export class TerminalOutput extends Readable {
  readonly #descriptor: number;
  readonly #source: ReadStream;
  #restRead = 0;

  /** @param descriptor of our end of the terminal, which is closed with the stream */
  constructor(descriptor: number) {
    super();
    this.#descriptor = descriptor;
    this.#source = new ReadStream(descriptor);
    this.#source.on("data", (chunk) => {
      if (!this.push(chunk)) this.#source.pause();
    });
    this.#source.once("end", () => {
      this.#readRest();
      this.push(null);
    });
    // That no program has the terminal open is an error to Node.js, once all was read.
    this.#source.on("error", () => this.push(null));
  }

  /** Whether the descriptor is still that of the terminal. */
  get isOpen(): boolean {
    return !this.#source.destroyed;
  }

  get bytesRead(): number {
    return this.#source.bytesRead + this.#restRead;
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#source.destroy();
    callback(error);
  }

  #readRest(): void {
    try {
      while (this.#restRead < MAX_REST) {
        const block = Buffer.allocUnsafe(READ_LENGTH);
        const length = readSync(this.#descriptor, block);
        if (length === 0) return;
        this.#restRead += length;
        this.push(block.subarray(0, length));
      }
    } catch {
      // EIO: there is no more.
    }
  }
}
