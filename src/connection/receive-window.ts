import { ProtocolError } from "../protocol/errors.js";

/** Bytes of the window a channel is opened with, where it may be so large. */
const INITIAL_WINDOW_SIZE = 2 * 1024 * 1024;

/** Credit is granted in parts of the window of this size: larger ones would keep a peer waiting, smaller ones cost. */
const CREDIT_SHARE = 0.25;

/** A wait that is longer than this, milliseconds, and than this share of a credit's time, is what limits the speed. */
const STARVED_TIME = 10;
const STARVED_SHARE = 0.25;

/** Windows in a row that must have starved before a larger one is tried. */
const STARVED_WINDOWS = 3;

/** A peer that may send less than this, bytes, may rather wait until it can fill a packet. */
const USED_UP = 32 * 1024;

/** Bytes of the window that a channel is opened with, where it may grow to `maximumSize`. */
export function initialWindowSize(maximumSize: number): number {
  return Math.min(INITIAL_WINDOW_SIZE, maximumSize);
}

/**
 * The bytes that the peer may send on one channel (RFC 4254 §5.2). Credit goes back only for what the reader has consumed.
 *
 * On a path with a long round trip the window limits the speed to one window for each. It shows in this: what comes
 * ends just where a credit ended, and more comes only after a wait for the next one, which was on its way. The window
 * doubles when that happens in several windows in a row. It does not grow without need: a stalled reader keeps a window
 * in memory, and OpenSSH's client takes five times as long per byte with 16 MiB as with 2.
 */
export class ReceiveWindow {
  /** Bytes of the window the channel is opened with. */
  readonly initialSize: number;
  readonly #maximumSize: number;
  /** Asks whether the connection as a whole may have so many bytes more under way. */
  readonly #mayGrow: (bytes: number) => boolean;
  #size: number;
  #available: number;
  /** Bytes since the channel was opened. */
  #received = 0;
  #lastReceivedAt = performance.now();
  /** The value that each credit lets `#received` reach, and when it was sent; credits that are used up are left out. */
  #credits: { readonly end: number; readonly sentAt: number }[];
  #starvedWindows = 0;
  #lastStarvedAt = 0;

  constructor(maximumSize: number, mayGrow: (bytes: number) => boolean) {
    this.#maximumSize = maximumSize;
    this.#mayGrow = mayGrow;
    this.initialSize = initialWindowSize(maximumSize);
    this.#size = this.initialSize;
    this.#available = this.initialSize;
    this.#credits = [{ end: this.initialSize, sentAt: this.#lastReceivedAt }];
  }

  /** Bytes that may be under way or unread together. */
  get size(): number {
    return this.#size;
  }

  /** @throws {ProtocolError} when the peer has sent more than it may */
  receive(bytes: number): void {
    if (bytes > this.#available) throw new ProtocolError("the peer has sent more than the channel's window allows");
    const now = performance.now();
    if (this.#hasStarved(now)) {
      const inARow = this.#received - this.#lastStarvedAt <= this.#size * 1.25;
      this.#starvedWindows = inARow ? this.#starvedWindows + 1 : 1;
      this.#lastStarvedAt = this.#received;
    }
    this.#lastReceivedAt = now;
    this.#available -= bytes;
    this.#received += bytes;
  }

  /**
   * Bytes to grant the peer now; 0 while it is not worth a message.
   *
   * @param unread bytes that were received and not yet consumed
   */
  credit(unread: number): number {
    if (this.#size - this.#available - unread < this.#size * CREDIT_SHARE) return 0;
    if (unread > 0) this.#starvedWindows = 0;
    else if (this.#starvedWindows >= STARVED_WINDOWS) this.#grow();
    const credit = this.#size - this.#available - unread;
    this.#available += credit;
    this.#credits = this.#credits.filter(({ end }) => end >= this.#received);
    this.#credits.push({ end: this.#received + this.#available, sentAt: performance.now() });
    return credit;
  }

  /** Whether the peer had used up a credit and had to wait until the next one had come to it. */
  #hasStarved(now: number): boolean {
    const wait = now - this.#lastReceivedAt;
    if (wait <= STARVED_TIME) return false;
    const usedUp = this.#credits.findIndex(({ end }) => end >= this.#received && end - this.#received < USED_UP);
    const next = this.#credits[usedUp + 1];
    return usedUp >= 0 && next !== undefined && wait > (now - next.sentAt) * STARVED_SHARE;
  }

  #grow(): void {
    this.#starvedWindows = 0;
    const growth = Math.min(this.#size, this.#maximumSize - this.#size);
    if (growth > 0 && this.#mayGrow(growth)) this.#size += growth;
  }
}
