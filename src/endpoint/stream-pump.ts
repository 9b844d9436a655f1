import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isError } from "../base/is-error.js";
import { type DirectSource, directReadsOf } from "./direct-reads.js";

/** Bytes that are written before others have their turn. */
const MAX_TURN = 128 * 1024;

/** The events of a stream. */
export interface StreamHandlers {
  /** Bytes from the peer, which are lent until this returns, and may be overwritten. */
  received(chunk: Buffer): void;
  /** The stream has taken something: there may be room for more. */
  sent(): void;
  /** Nothing more can come, or be sent. */
  lost(cause: string, error?: Error): void;
  /** The stream is closed; may be called again. */
  closed(): void;
}

/** Moves bytes between a stream and the machine that is on it. */
export class StreamPump {
  readonly #stream: Duplex;
  readonly #handlers: StreamHandlers;
  readonly #reads: DirectSource | undefined;
  #bytesReceived = 0;
  #bytesSent = 0;
  /** Bytes that the stream has taken since others had their turn. */
  #turn = 0;
  #resting = false;
  #closing: NodeJS.Timeout | undefined;

  constructor(stream: Duplex, handlers: StreamHandlers) {
    this.#stream = stream;
    this.#handlers = handlers;
    this.#reads = directReadsOf(stream);
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** Bytes that the stream has not passed on. */
  get unsentBytes(): number {
    return this.#stream.writableLength;
  }

  /** Whether the stream is to be given no more for now. */
  get congested(): boolean {
    return this.#resting || this.#stream.writableNeedDrain;
  }

  /** @returns whether the stream can be used; if not, `closed` was called */
  start(): boolean {
    const stream = this.#stream;
    stream.on("data", (chunk: unknown) => {
      if (chunk instanceof Uint8Array) this.#receive(chunk);
      else this.#handlers.lost("the stream gives something other than bytes");
    });
    if (this.#reads !== undefined) {
      this.#reads.most = "little";
      this.#reads.take = (bytes) => {
        this.#bytesReceived += bytes.length;
        this.#handlers.received(bytes);
        return !stream.isPaused();
      };
    }
    stream.on("drain", () => this.#sent(0));
    stream.on("end", () => this.#handlers.lost("the peer has closed the connection"));
    stream.on("error", (error) => this.#handlers.lost("the connection was lost", error));
    stream.on("close", () => this.#closed());
    if (stream instanceof Socket) {
      stream.setNoDelay(true);
      stream.setKeepAlive(true, 60_000);
    }
    if (stream.destroyed) this.#closed();
    return !stream.destroyed;
  }

  /** @param done called when the bytes may be overwritten */
  write(bytes: Buffer, done?: () => void): void {
    this.#bytesSent += bytes.length;
    if (this.#stream instanceof Socket) {
      this.#stream.write(bytes, () => {
        done?.();
        this.#sent(bytes.length);
      });
      return;
    }
    try {
      // Other streams may say that they are done while they still hold the bytes.
      this.#stream.write(Buffer.from(bytes), () => this.#sent(bytes.length));
    } catch (error) {
      this.#handlers.lost("the connection was lost", isError(error) ? error : undefined);
    }
    done?.();
  }

  /** From now on much may come at once: the peer is known. */
  readMuch(): void {
    if (this.#reads !== undefined) this.#reads.most = "much";
  }

  pause(): void {
    this.#stream.pause();
  }

  /** Reads, or reads again. */
  resume(): void {
    if (this.#stream.readableFlowing !== true) this.#stream.resume();
  }

  /** @param closingTime milliseconds that the peer gets to take what was sent */
  end(closingTime: number): void {
    const stream = this.#stream;
    attempt(() => stream.end());
    // Unread bytes would make the system reset the connection before the peer has read why.
    attempt(() => stream.resume());
    this.#closing = setTimeout(() => {
      attempt(() => stream.destroy());
      // Not every stream tells that it is closed.
      this.#closed();
    }, closingTime);
  }

  #receive(chunk: Uint8Array): void {
    this.#bytesReceived += chunk.length;
    // Memory that belongs to others must not be decrypted in place.
    const own = this.#stream instanceof Socket && Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    this.#handlers.received(own);
  }

  /** A peer that takes all at once is not to keep others waiting. */
  #sent(length: number): void {
    this.#turn += length;
    if (this.#turn < MAX_TURN) {
      this.#handlers.sent();
    } else if (!this.#resting) {
      this.#resting = true;
      setImmediate(() => {
        this.#turn = 0;
        this.#resting = false;
        this.#handlers.sent();
      });
    }
  }

  #closed(): void {
    clearTimeout(this.#closing);
    this.#handlers.closed();
  }
}

/** A stream that throws is given up all the same. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {}
}
