import { Writable } from "node:stream";
import { WRITABLE_HIGH_WATER_MARK } from "../connection/channel-output.js";

type WriteCallback = (error?: Error | null) => void;

/** Somebody writes to a stream that was destroyed without an error. */
class StreamClosedError extends Error {
  /** The code of the error that Node.js gives to the callback of such a write. */
  readonly code = "ERR_STREAM_DESTROYED";

  constructor() {
    super("the stream is closed");
  }
}

/** Is told how many bytes were written to a stream that has ended. */
type DroppedListener = (bytes: number) => void;

/** Listens for what is lost. Programs hold the stream, so only the library gets this. */
export let onDropped: (output: Writable, listener: DroppedListener) => void;

/**
 * A stream towards the client. A program need not listen for its errors: when the client is gone, its session's signal tells.
 * A program that writes all the same, and waits for room, gets the error each time: a loop of writes does not wait for ever.
 */
export abstract class ClientOutput extends Writable {
  static {
    onDropped = (output, listener) => {
      if (output instanceof ClientOutput) output.#dropped = listener;
    };
  }

  #dropped: DroppedListener = () => {};

  constructor() {
    super({ highWaterMark: WRITABLE_HIGH_WATER_MARK });
    this.on("error", () => {});
  }

  override write(chunk: unknown, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean;
  override write(chunk: unknown, ...rest: [(BufferEncoding | WriteCallback)?, WriteCallback?]): boolean {
    if (this.writableEnded || this.destroyed) this.#dropped(lengthOf(chunk));
    const hasRoom = super.write(chunk, ...(rest as [BufferEncoding, WriteCallback?]));
    if (this.destroyed) process.nextTick(() => this.emit("error", this.errored ?? new StreamClosedError()));
    return hasRoom;
  }
}

function lengthOf(chunk: unknown): number {
  if (typeof chunk === "string") return Buffer.byteLength(chunk);
  return chunk instanceof Uint8Array ? chunk.length : 0;
}
