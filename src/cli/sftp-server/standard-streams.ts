import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import { Duplex, type Readable, type Writable } from "node:stream";

const STANDARD_OUTPUT = 1;

type Callback = (error?: Error | null) => void;

/** Standard input and output as one stream. */
export class StandardStreams extends Duplex {
  readonly #input: Readable;
  readonly #output: Writable;
  #exitStatus: number | undefined;

  /** The streams of this process. */
  static ofProcess(): StandardStreams {
    return new StandardStreams(process.stdin, standardOutput());
  }

  constructor(input: Readable, output: Writable) {
    super();
    this.#input = input;
    this.#output = output;
    input.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) input.pause();
    });
    input.once("end", () => this.push(null));
    input.once("close", () => this.push(null));
    for (const stream of [input, output]) stream.on("error", (error) => this.destroy(error));
  }

  /** The exit status of the session on the streams, once it is known. */
  get exitStatus(): number | undefined {
    return this.#exitStatus;
  }

  sendExitStatus(status: number): void {
    this.#exitStatus = status;
  }

  override _read(): void {
    this.#input.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: Callback): void {
    this.#output.write(chunk, written);
  }

  override _writev(parts: { readonly chunk: Buffer }[], written: Callback): void {
    const last = parts.length - 1;
    this.#output.cork();
    parts.forEach(({ chunk }, index) => {
      if (index === last) this.#output.write(chunk, written);
      else this.#output.write(chunk);
    });
    this.#output.uncork();
  }

  override _final(finished: Callback): void {
    this.#output.end(finished);
  }

  override _destroy(error: Error | null, destroyed: Callback): void {
    this.#input.destroy();
    this.#output.destroy();
    destroyed(error);
  }
}

/**
 * `process.stdout` waits within a write until a pipe has room for it. Meanwhile nothing is read, and a peer that does
 * not read before it has written would wait for ever.
 */
function standardOutput(): Writable {
  const stats = fstatSync(STANDARD_OUTPUT);
  if (!stats.isFIFO() && !stats.isSocket()) return process.stdout;
  return new Socket({ fd: STANDARD_OUTPUT, readable: false, writable: true });
}
