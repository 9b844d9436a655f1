import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isError } from "../base/is-error.js";
import { TAKE_LENT_DATA } from "../base/lending-stream.js";
import { Channel, portOf } from "../connection/channel.js";
import { type DirectSource, directReadsOf } from "../endpoint/direct-reads.js";
import { GatheredWrites } from "./gathered-writes.js";
import { resetSocket } from "./reset-socket.js";

/** The events of a stream that is joined to another one. */
export interface JoinedStreamHandlers {
  data(chunk: unknown): void;
  /** Bytes that are overwritten afterwards. */
  borrowedBytes(bytes: Buffer): void;
  /** Nothing more comes from the stream. */
  end(): void;
  /** The stream has taken all that was written. */
  drain(): void;
  /** What was written was handed on: now it shows whether the stream takes more. */
  flushed(): void;
  /** The stream has taken all that was written, and the end. */
  finish(): void;
  /** The stream has failed, or is closed. */
  gone(error?: Error): void;
}

const NOTHING = new Uint8Array(0);

type Listener = readonly [name: string, listener: (value?: unknown) => void];

/** One of two streams that are joined: what it has given, and how it ends. */
export class JoinedStream {
  readonly stream: Duplex;
  bytesRead = 0;
  /** How much was read when others last had their turn. */
  turnBegan = 0;
  /** Whether all that comes from the stream was read. */
  ended = false;
  /** Whether the stream has failed, or is closed. */
  gone = false;
  readonly #reads: DirectSource | undefined;
  #listeners: readonly Listener[] = [];
  #flushed: (() => void) | undefined;
  readonly #gathered: GatheredWrites | undefined;

  constructor(stream: Duplex) {
    this.stream = stream;
    this.#reads = directReadsOf(stream);
    if (stream instanceof Socket) this.#gathered = new GatheredWrites(stream, () => this.#flushed?.());
  }

  /** Whether the stream asks to be given no more for now. Bytes that it has passed on at once fill no memory. */
  get isFull(): boolean {
    return this.stream.writableNeedDrain && this.stream.writableLength !== 0;
  }

  /** Whether each direction has come to its end, as far as the stream is concerned. */
  get finished(): boolean {
    return this.ended && this.stream.writableFinished;
  }

  /** Whether the stream has passed on all that was written. */
  get isEmpty(): boolean {
    return this.stream.writableLength === 0 && (this.#gathered?.length ?? 0) === 0;
  }

  /** Whether the stream takes nothing more and has passed on all that it took. */
  get hasAll(): boolean {
    return this.stream.writableEnded && this.stream.writableLength === 0;
  }

  /**
   * Whether the peer of a channel has closed it without EOF. For a socket that is an ordinary end, as in sshd: half of the
   * client libraries end their channels so. A channel that it is passed on to ends in the same way.
   */
  get endedByClose(): boolean {
    return this.stream instanceof Channel && portOf(this.stream).input.endedByClose;
  }

  write(bytes: Uint8Array): void {
    if (this.#gathered === undefined) this.stream.write(bytes);
    else this.#gathered.write(bytes);
  }

  /** @param bytes that may be overwritten at once */
  writeBorrowed(bytes: Buffer): void {
    const { stream } = this;
    if (this.#gathered !== undefined) {
      this.#gathered.write(bytes);
      return;
    }
    if (stream instanceof Channel) portOf(stream).output.writeLent(bytes);
    else stream.write(Buffer.from(bytes));
  }

  /** @param done called when all that was written was passed on, or the stream takes nothing */
  whenEmpty(done: () => void): void {
    this.#gathered?.flush();
    this.stream.write(NOTHING, done);
  }

  /** Nothing more is written. */
  end(): void {
    this.#gathered?.flush();
    this.stream.end();
  }

  listen(handlers: JoinedStreamHandlers): void {
    this.#flushed = handlers.flushed;
    if (this.#reads !== undefined) {
      this.#reads.most = "channel";
      this.#reads.take = (bytes) => {
        handlers.borrowedBytes(bytes);
        return !this.stream.isPaused();
      };
    }
    if (this.stream instanceof Channel) this.stream[TAKE_LENT_DATA](handlers.borrowedBytes);
    this.#listeners = [
      ["data", handlers.data],
      ["end", handlers.end],
      ["drain", handlers.drain],
      ["finish", handlers.finish],
      ["error", (thrown) => handlers.gone(asError(thrown))],
      ["close", () => handlers.gone()],
    ];
    for (const [name, listener] of this.#listeners) this.stream.on(name, listener);
  }

  /** Takes the listeners back. Errors that come before the stream is closed have no effect. */
  release(): void {
    const { stream } = this;
    this.#flushed = undefined;
    this.#gathered?.flush();
    stream.on("error", ignore);
    for (const [name, listener] of this.#listeners) stream.off(name, listener);
    this.#listeners = [];
    if (this.#reads !== undefined) this.#reads.take = undefined;
    if (stream instanceof Channel) stream[TAKE_LENT_DATA](undefined);
    const closed = () => stream.off("error", ignore);
    // Node.js calls it closed a little before it tells of the last error.
    if (stream.closed) setImmediate(closed);
    else stream.once("close", closed);
  }

  /** Closes the stream. Where data are missing, the stream is cut off, so that its peer does not take what came for all of it. */
  close(): void {
    const { stream } = this;
    if (stream.destroyed) return;
    try {
      if (stream instanceof Channel && this.hasAll) stream.close();
      else if (stream instanceof Socket && !this.hasAll) resetSocket(stream);
      else stream.destroy();
    } catch {
      stream.destroy();
    }
  }
}

/** @param thrown by a stream, or emitted, which may be anything */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error("the stream has failed");
}

function ignore(): void {}
