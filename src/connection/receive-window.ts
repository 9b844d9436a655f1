import { ProtocolError } from "../protocol/errors.js";

/** Bytes of the window a channel is opened with. */
const INITIAL_WINDOW_SIZE = 2 * 1024 * 1024;

/** A window that takes longer than this to come through, milliseconds, may be what limits the speed. */
const SLOW_WINDOW_TIME = 40;

/** How much faster data must come than at the last growth for the window to grow again. */
const WORTHWHILE_SPEEDUP = 1.1;

/**
 * How much the peer may send on one channel (RFC 4254 §5.2). Credit goes back only for what the reader has consumed.
 *
 * On a path with a long round trip the window limits the speed to one window for each. It then doubles for as long as
 * that makes data come faster. It does not grow without need: a stalled reader keeps a window in memory, and OpenSSH's
 * client gets slow with large ones.
 */
export class ReceiveWindow {
  /** Bytes of the window the channel is opened with. */
  readonly initialSize: number;
  readonly #maximumSize: number;
  /** Asks whether the connection as a whole may have so many bytes more under way. */
  readonly #mayGrow: (bytes: number) => boolean;
  #size: number;
  #available: number;
  /** Credit given since `#measuredFrom`, bytes. */
  #measured = 0;
  #measuredFrom = performance.now();
  /** Bytes per millisecond when the window last grew. */
  #speedAtGrowth = 0;

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
    this.#available -= bytes;
  }

  /**
   * Bytes to grant the peer now; 0 while it is not worth a message.
   *
   * @param unread bytes that were received and not yet consumed
   */
  credit(unread: number): number {
    if (this.#size - this.#available - unread < this.#size / 2) return 0;
    this.#measure(this.#size - this.#available - unread, unread);
    const credit = this.#size - this.#available - unread;
    this.#available += credit;
    return credit;
  }

  /** Looks, each time a whole window has come through, whether a larger one would help. */
  #measure(bytes: number, unread: number): void {
    this.#measured += bytes;
    if (this.#measured < this.#size) return;
    const now = performance.now();
    const time = now - this.#measuredFrom;
    const speed = this.#measured / time;
    if (unread === 0 && time > SLOW_WINDOW_TIME && speed > this.#speedAtGrowth * WORTHWHILE_SPEEDUP) {
      this.#grow(speed);
    }
    this.#measured = 0;
    this.#measuredFrom = now;
  }

  #grow(speed: number): void {
    const growth = Math.min(this.#size, this.#maximumSize - this.#size);
    if (growth <= 0 || !this.#mayGrow(growth)) return;
    this.#size += growth;
    this.#speedAtGrowth = speed;
  }
}
