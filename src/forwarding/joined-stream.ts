import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Channel, portOf } from "../connection/channel.js";
import { resetSocket } from "./reset-socket.js";

/** The events of a stream that is joined to another one. */
export interface JoinedStreamHandlers {
  data(chunk: unknown): void;
  /** Nothing more comes from the stream. */
  end(): void;
  /** The stream has taken all that was written. */
  drain(): void;
  /** The stream has taken all that was written, and the end. */
  finish(): void;
  /** The stream has failed, or is closed. */
  gone(error?: Error): void;
}

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
  #listeners: readonly Listener[] = [];

  constructor(stream: Duplex) {
    this.stream = stream;
  }

  /** Whether each direction has come to its end, as far as the stream is concerned. */
  get finished(): boolean {
    return this.ended && this.stream.writableFinished;
  }

  /** Whether the stream takes nothing more and has passed on all that it took. */
  get hasAll(): boolean {
    return this.stream.writableEnded && this.stream.writableLength === 0;
  }

  /**
   * Whether the peer of a channel has closed it without EOF. To a socket that is an end as any other, since half of the
   * client libraries end their channels so, and as sshd has it; a channel that it is passed on to ends in the same way.
   */
  get endedByClose(): boolean {
    return this.stream instanceof Channel && portOf(this.stream).input.endedByClose;
  }

  listen(handlers: JoinedStreamHandlers): void {
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
    stream.on("error", ignore);
    for (const [name, listener] of this.#listeners) stream.off(name, listener);
    this.#listeners = [];
    const closed = () => stream.off("error", ignore);
    // Node.js calls it closed a little before it tells of the last error.
    if (stream.closed) setImmediate(closed);
    else stream.once("close", closed);
  }

  /** Closes the stream: in such a way that its peer does not take for all of the data what is not all of it. */
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
  return thrown instanceof Error ? thrown : new Error("the stream has failed");
}

function ignore(): void {}
