/** Memory of messages that may wait, bytes. */
const MAXIMUM = { initial: 16 * 1024, later: 1024 * 1024 };

/** The cost of a waiting message beside its own bytes, bytes. */
const OVERHEAD = 256;

/** Messages that wait for the end of a key exchange. */
export class WaitingMessages {
  #payloads: Buffer[] = [];
  #bytes = 0;

  /** Memory that they hold, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false when there are too many */
  add(payload: Buffer, exchange: "initial" | "later"): boolean {
    this.#bytes += payload.length + OVERHEAD;
    if (this.#bytes > MAXIMUM[exchange]) return false;
    this.#payloads.push(payload);
    return true;
  }

  takeAll(): readonly Buffer[] {
    const payloads = this.#payloads;
    this.#payloads = [];
    this.#bytes = 0;
    return payloads;
  }
}
