import { readSync } from "node:fs";
import type { OnReadOpts, SocketConstructorOpts } from "node:net";
import { Readable } from "node:stream";
import { ReadStream } from "node:tty";
import { isTakenDirectly, offerDirectReads } from "../../endpoint/direct-reads.js";
import { GatheredReads, READ_LENGTH } from "./gathered-reads.js";

/** More than the system keeps of a terminal's output, bytes: 64 KiB. Another program may open the terminal meanwhile and write on. */
const MAX_REST = 256 * 1024;

/** What programs show on a terminal, to the last byte: Node.js takes the end of the last program for the end of its output. */
export class TerminalOutput extends Readable {
  readonly #descriptor: number;
  readonly #source: ReadStream;
  readonly #reads = new GatheredReads((bytes) => this.#give(bytes));
  readonly #direct = offerDirectReads(this);
  #restRead = 0;

  /** @param descriptor of our end of the terminal, which is closed with the stream */
  constructor(descriptor: number) {
    super();
    this.#descriptor = descriptor;
    const { block: buffer, received: callback } = this.#reads;
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = { onread: { buffer, callback } };
    this.#source = new ReadStream(descriptor, options);
    this.#source.once("end", () => {
      this.#reads.flush();
      this.#readRest();
      this.push(null);
    });
    // Node.js reports an error when all was read and no program has the terminal open.
    this.#source.on("error", () => {
      this.#reads.flush();
      this.push(null);
    });
    this.#source.once("close", () => this.#reads.close());
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

  /** @param bytes that are overwritten afterwards */
  #give(bytes: Buffer): void {
    if (this.destroyed) return;
    const take = isTakenDirectly(this) ? this.#direct.take : undefined;
    if (take !== undefined) take(bytes);
    else if (!this.push(Buffer.from(bytes))) this.#source.pause();
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
