/** Messages that another process may send in one span beside its calls: more than any load of connections makes. */
export const MAX_MESSAGES = 100_000;

/** Milliseconds: long enough that messages which have gathered during a turn of the event loop of some seconds do not count as a flood. */
const SPAN = 5000;

/** Messages that a call brings with it: what was asked for is used, and given back. */
const MESSAGES_OF_CALL = 2;

/** Sees that messages come faster than anything needs them. */
export class MessageRate {
  #spanBegun = performance.now();
  #count = 0;

  /**
   * Calls do not count as a flood, however many there are: the number that may wait for answers is limited. Users who are busy
   * with their files cause many.
   */
  called(): void {
    this.#count = Math.max(0, this.#count - MESSAGES_OF_CALL);
  }

  /** To be asked for each other message. */
  isExceeded(): boolean {
    if (++this.#count <= MAX_MESSAGES) return false;
    // The clock is looked at only when there have been so many.
    const now = performance.now();
    const isTooSoon = now - this.#spanBegun < SPAN;
    this.#spanBegun = now;
    this.#count = 0;
    return isTooSoon;
  }
}
