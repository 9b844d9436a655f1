import { ProtocolError } from "../protocol/errors.js";

/** Bytes of the window a channel is opened with. */
const INITIAL_WINDOW_SIZE = 2 * 1024 * 1024;

/** A wait for data that is longer than this, milliseconds, and than this share of the time, is what limits the speed. */
const STARVED_TIME = 10;
const STARVED_SHARE = 0.25;

/** Windows in a row that must have starved before a larger one is tried. */
const STARVED_WINDOWS = 3;

/** A peer that may send less than this, bytes, may rather wait until it can fill a packet. */
const USED_UP = 32 * 1024;

/**
 * How much the peer may send on one channel (RFC 4254 §5.2). Credit goes back only for what the reader has consumed.
 *
 * On a path with a long round trip the window limits the speed to one window for each. It shows in this: the peer has
 * used up what it was granted before the last credit, and more comes only after a wait. The window doubles when that
 * happens in several windows in a row. It does not grow without need: a stalled reader keeps a window in memory, and
 * OpenSSH's client takes five times as long per byte with 16 MiB as with 2.
 */
export class ReceiveWindow {
  /** Bytes of the window the channel is opened with. */
  readonly initialSize: number;
  readonly #maximumSize: number;
  /** Asks whether the connection as a whole may have so many bytes more under way. */
  readonly #mayGrow: (bytes: number) => boolean;
  #size: number;
  #available: number;
  /** What of `#available` the peer had before the last credit. */
  #grantedBefore = Number.POSITIVE_INFINITY;
  /** When the peer had used that up. */
  #usedUpAt: number | undefined;
  #lastWaitEnded = performance.now();
  #starvedWindows = 0;
  #receivedSinceStarved = 0;

  constructor(maximumSize: number, mayGrow: (bytes: number) => boolean) {
    this.#maximumSize = maximumSize;
    this.#mayGrow = mayGrow;
    this.initialSize = Math.min(INITIAL_WINDOW_SIZE, maximumSize);
    this.#size = this.initialSize;
    this.#available = this.initialSize;
  }

  /** Bytes that may be under way or unread together. */
  get size(): number {
    return this.#size;
  }

  /** @throws {ProtocolError} when the peer has sent more than it may */
  receive(bytes: number): void {
    if (bytes > this.#available) throw new ProtocolError("the peer has sent more than the channel's window allows");
    this.#noteWait();
    this.#available -= bytes;
    this.#receivedSinceStarved += bytes;
    this.#grantedBefore -= bytes;
    if (this.#grantedBefore < USED_UP) {
      this.#usedUpAt = performance.now();
      this.#grantedBefore = Number.POSITIVE_INFINITY;
    }
  }

  /**
   * Bytes to grant the peer now; 0 while it is not worth a message.
   *
   * @param unread bytes that were received and not yet consumed
   */
  credit(unread: number): number {
    if (this.#size - this.#available - unread < this.#size / 2) return 0;
    if (unread > 0) this.#starvedWindows = 0;
    else if (this.#starvedWindows >= STARVED_WINDOWS) this.#grow();
    this.#grantedBefore = this.#available;
    const credit = this.#size - this.#available - unread;
    this.#available += credit;
    return credit;
  }

  #noteWait(): void {
    if (this.#usedUpAt === undefined) return;
    const now = performance.now();
    const wait = now - this.#usedUpAt;
    if (wait > STARVED_TIME && wait > (now - this.#lastWaitEnded) * STARVED_SHARE) {
      const inARow = this.#receivedSinceStarved <= this.#size * 1.25;
      this.#starvedWindows = inARow ? this.#starvedWindows + 1 : 1;
      this.#receivedSinceStarved = 0;
    }
    this.#usedUpAt = undefined;
    this.#lastWaitEnded = now;
  }

  #grow(): void {
    this.#starvedWindows = 0;
    const growth = Math.min(this.#size, this.#maximumSize - this.#size);
    if (growth > 0 && this.#mayGrow(growth)) this.#size += growth;
  }
}
