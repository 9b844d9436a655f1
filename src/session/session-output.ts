import type { Writable } from "node:stream";
import { ClientOutput } from "./client-output.js";

/**
 * Output of a session, on the way into its channel. `end()`, and with it `pipe()` and `pipeline()`, ends this stream alone: the
 * channel ends with the session.
 */
export class SessionOutput extends ClientOutput {
  readonly #target: Writable;

  constructor(target: Writable) {
    super();
    this.#target = target;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#target.write(chunk, callback);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    const target = this.#target;
    target.cork();
    for (const [index, { chunk }] of chunks.entries()) {
      target.write(chunk, index === chunks.length - 1 ? callback : undefined);
    }
    target.uncork();
  }
}

/** Ends a stream, and resolves when all that was written to it was handed on, or never will be. */
export function drained(stream: Writable): Promise<void> {
  if (stream.destroyed || stream.writableFinished) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once("finish", resolve).once("close", resolve);
    stream.end();
  });
}

/** Resolves when all that was written to a stream so far was handed on, or never will be. */
export function flushed(stream: Writable): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed || stream.writableEnded) return Promise.resolve();
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}
