import { ProtocolError } from "../protocol/errors.js";

/** Bytes of the window a channel is opened with; it grows while its reader keeps up. */
export const INITIAL_WINDOW_SIZE = 512 * 1024;

/**
 * How much the peer may send on one channel (RFC 4254 §5.2). Credit goes back only for what the reader has consumed.
 * The window doubles each time a whole one went through without the reader falling behind, so that a path with a long
 * round trip gets filled and a slow reader keeps little in memory.
 */
export class ReceiveWindow {
  readonly #maximumSize: number;
  /** Asks whether the connection as a whole may have so many bytes more under way. */
  readonly #mayGrow: (bytes: number) => boolean;
  #size = INITIAL_WINDOW_SIZE;
  #available = INITIAL_WINDOW_SIZE;
  #grantedAtSize = 0;

  constructor(maximumSize: number, mayGrow: (bytes: number) => boolean) {
    this.#maximumSize = maximumSize;
    this.#mayGrow = mayGrow;
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
    if (this.#size - this.#available - unread < this.#size / 4) return 0;
    if (unread === 0 && this.#grantedAtSize >= this.#size) this.#grow();
    const credit = this.#size - this.#available - unread;
    this.#available += credit;
    this.#grantedAtSize += credit;
    return credit;
  }

  #grow(): void {
    const growth = Math.min(this.#size, this.#maximumSize - this.#size);
    if (growth <= 0 || !this.#mayGrow(growth)) return;
    this.#size += growth;
    this.#grantedAtSize = 0;
  }
}
