import { setMaxListeners } from "node:events";
import type { Duplex } from "node:stream";
import {
  checkLimit,
  checkMethods,
  checkNumber,
  checkOptions,
  checkSignal,
  LONGEST_TIME,
} from "../base/option-checks.js";
import { Timers } from "../base/timers.js";
import { Channel } from "../connection/channel.js";
import { asError, JoinedStream } from "./joined-stream.js";

/** Options of `join`. */
export interface JoinOptions {
  /** Cuts both streams off: the signal of the connection, for example. */
  readonly signal?: AbortSignal;
  /** Seconds in which nothing comes from, or is taken by, either stream, until both are cut off. Default `false`. */
  readonly idleTimeout?: number | false;
  /** Seconds until both streams are cut off. Default `false`. */
  readonly timeout?: number | false;
}

/** The end of two joined streams. */
export interface Joined {
  /** Bytes that were read from the first stream. */
  readonly bytesFromFirst: number;
  /** Bytes that were read from the second stream. */
  readonly bytesFromSecond: number;
  /**
   * - `ended`: no stream was closed before it had given its end, and all that was read was passed on
   * - `reset`: one of them has failed, or was closed before that
   * - `idle`, `timeout`, `aborted`: by the options of these names
   */
  readonly cause: "ended" | "reset" | "idle" | "timeout" | "aborted";
  /** The first error of a stream. */
  readonly error?: Error;
}

/** Milliseconds that a stream gets to take what was read for it, after the other one has failed or was cut off. */
const LINGER_TIME = 30_000;

/** Bytes that are read of a stream at a time, while others wait: some always have more. */
const MAX_TURN = 256 * 1024;

const METHODS = ["on", "off", "pause", "resume", "write", "end", "destroy"] as const;

/**
 * Joins two streams: all that comes from one is written to the other, both ways. A stream that takes nothing holds up the
 * other one, and no more is read than both buffer by themselves. They belong to the join until it is done, and are closed
 * then.
 *
 * The end of one direction is passed on and leaves the other one open. A `net.Socket` bears that with `allowHalfOpen`;
 * without it the socket closes when its peer has sent all, and so does the other stream. A stream that fails, or that is
 * closed before its end, ends the other one abruptly, so that nobody takes a part for the whole: a TCP connection is
 * reset, a channel closed without EOF, any other stream destroyed.
 *
 * @returns their end; never rejects for what the streams do. Rejects with a ConfigurationError for options that
 *   cannot be used
 */
export async function join(first: Duplex, second: Duplex, options: JoinOptions = {}): Promise<Joined> {
  for (const [name, stream] of Object.entries({ first, second })) {
    checkMethods(name, stream, METHODS);
  }
  const { signal, idleTimeout = false, timeout = false } = checkOptions(options, ["signal", "idleTimeout", "timeout"]);
  if (signal !== undefined) checkSignal("signal", signal);
  const idleTime = checkTime("idleTimeout", idleTimeout);
  const time = checkTime("timeout", timeout);
  return new Promise((resolve) => {
    const junction = new Junction(new JoinedStream(first), new JoinedStream(second), resolve);
    junction.start();
    junction.limit(idleTime, time, signal);
  });
}

/** Whether something has the methods of a stream that can be joined. */
export function isJoinable(value: unknown): value is Duplex {
  return (
    typeof value === "object" &&
    value !== null &&
    METHODS.every((name) => typeof Reflect.get(value, name) === "function")
  );
}

/** @returns milliseconds */
function checkTime(option: string, seconds: number | false): number {
  return checkLimit(option, seconds, 0.001, LONGEST_TIME, checkNumber) * 1000;
}

/** Two streams while they are joined. */
class Junction {
  readonly #first: JoinedStream;
  readonly #second: JoinedStream;
  readonly #resolve: (joined: Joined) => void;
  readonly #timers = new Timers();
  #signal: AbortSignal | undefined;
  /** The last time that something was read or taken, milliseconds. */
  #activeAt = performance.now();
  #cause: Joined["cause"] = "ended";
  #error: Error | undefined;
  #done = false;

  constructor(first: JoinedStream, second: JoinedStream, resolve: (joined: Joined) => void) {
    this.#first = first;
    this.#second = second;
    this.#resolve = resolve;
  }

  start(): void {
    const ways = [
      [this.#first, this.#second],
      [this.#second, this.#first],
    ] as const;
    for (const [from, to] of ways) {
      from.listen({
        data: (chunk) => this.#pass(from, to, chunk),
        borrowedBytes: (bytes) => this.#passBorrowed(from, to, bytes),
        end: () => this.#ended(from, to),
        drain: () => this.#drained(to),
        flushed: () => this.#checkRoom(to, from),
        finish: () => this.#finished(from, to),
        gone: (error) => this.#gone(from, to, error),
      });
    }
    for (const [from, to] of ways) {
      const { stream } = from;
      if (stream.readableEnded) this.#ended(from, to);
      if (stream.destroyed || stream.errored) this.#gone(from, to, stream.errored ?? undefined);
    }
    for (const [from, to] of ways) if (!from.gone && !to.gone) from.stream.resume();
  }

  /** @param times in milliseconds */
  limit(idleTime: number, time: number, signal: AbortSignal | undefined): void {
    if (this.#done) return;
    if (signal?.aborted) {
      this.#cutOff("aborted");
      return;
    }
    if (signal !== undefined) {
      // One signal may end many joins. Each takes its listener back, so Node.js does not warn of a leak.
      setMaxListeners(0, signal);
      signal.addEventListener("abort", this.#abort);
      this.#signal = signal;
    }
    if (time !== Number.POSITIVE_INFINITY) this.#timers.after(time, () => this.#cutOff("timeout"));
    if (idleTime !== Number.POSITIVE_INFINITY) this.#watch(idleTime);
  }

  readonly #abort = (): void => this.#cutOff("aborted");

  #watch(idleTime: number): void {
    const rest = this.#activeAt + idleTime - performance.now();
    if (rest > 0) this.#timers.after(rest, () => this.#watch(idleTime));
    else this.#cutOff("idle");
  }

  #pass(from: JoinedStream, to: JoinedStream, chunk: unknown): void {
    const bytes = bytesOf(chunk, from.stream);
    if (bytes === undefined) {
      this.#gone(from, to, new TypeError("the stream gives something other than bytes"));
      return;
    }
    this.#move(from, to, bytes.length, () => to.write(bytes));
    if (from.stream.isPaused() || from.bytesRead - from.turnBegan < MAX_TURN) return;
    from.turnBegan = from.bytesRead;
    from.stream.pause();
    setImmediate(() => {
      if (!this.#done && !from.gone && !to.gone && !to.isFull) from.stream.resume();
    });
  }

  #passBorrowed(from: JoinedStream, to: JoinedStream, bytes: Buffer): void {
    this.#move(from, to, bytes.length, () => to.writeBorrowed(bytes));
  }

  #move(from: JoinedStream, to: JoinedStream, length: number, write: () => void): void {
    this.#activeAt = performance.now();
    from.bytesRead += length;
    try {
      write();
    } catch (thrown) {
      this.#gone(to, from, asError(thrown));
      return;
    }
    this.#checkRoom(from, to);
  }

  #checkRoom(from: JoinedStream, to: JoinedStream): void {
    if (to.isFull) from.stream.pause();
  }

  /** @param source of what was written */
  #drained(source: JoinedStream): void {
    this.#activeAt = performance.now();
    if (!source.gone && source.stream.isPaused()) source.stream.resume();
  }

  #ended(from: JoinedStream, to: JoinedStream): void {
    if (from.endedByClose && to.stream instanceof Channel) return;
    from.ended = true;
    try {
      to.end();
    } catch (thrown) {
      this.#gone(to, from, asError(thrown));
    }
    this.#finished(to, from);
  }

  #finished(stream: JoinedStream, other: JoinedStream): void {
    if (stream.stream.writableFinished && other.gone) this.#conclude();
    else if (stream.finished && other.finished) this.#conclude();
  }

  #gone(stream: JoinedStream, other: JoinedStream, error?: Error): void {
    this.#error ??= error;
    const isCutOff = error !== undefined || !stream.ended;
    if (isCutOff) this.#cause = "reset";
    if (stream.gone) return;
    stream.gone = true;
    stream.stream.destroy();
    other.stream.pause();
    if (other.gone || other.isEmpty) {
      this.#conclude();
      return;
    }
    if (isCutOff) this.#timers.after(LINGER_TIME, () => this.#cutOff("reset"));
    if (other.stream.writableEnded) return;
    try {
      other.whenEmpty(() => this.#conclude());
    } catch {
      this.#conclude();
    }
  }

  #cutOff(cause: Joined["cause"]): void {
    this.#cause = cause;
    this.#conclude();
  }

  #conclude(): void {
    if (this.#done) return;
    this.#done = true;
    this.#timers.clear();
    this.#signal?.removeEventListener("abort", this.#abort);
    const ends = [this.#first, this.#second];
    for (const end of ends) end.release();
    for (const end of ends) end.close();
    this.#resolve({
      bytesFromFirst: this.#first.bytesRead,
      bytesFromSecond: this.#second.bytesRead,
      cause: this.#cause,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    });
  }
}

/** @returns the bytes of what a stream gives, which is a text if the stream has an encoding */
function bytesOf(chunk: unknown, { readableEncoding }: Duplex): Uint8Array | undefined {
  if (chunk instanceof Uint8Array) return chunk;
  return typeof chunk === "string" ? Buffer.from(chunk, readableEncoding ?? "utf8") : undefined;
}
