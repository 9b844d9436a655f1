/**
 * Odd and harmless messages of one client. The log gets a line of the first of each kind; the others are counted, so
 * that a million of them cost no memory and no log.
 */
export class OddMessages {
  readonly #counts = new Map<string, number>();
  readonly #first: (kind: string, details: object) => void;

  /** @param first hears of the first message of each kind */
  constructor(first: (kind: string, details: object) => void) {
    this.#first = first;
  }

  /**
   * @param kind of a fixed set: nothing that a client says is a part of it
   * @param details for the log, of this one message
   */
  note(kind: string, details: object = {}): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count === 1) this.#first(kind, details);
  }

  /** How many there were of each kind; `undefined` if there were none. */
  get counts(): Readonly<Record<string, number>> | undefined {
    return this.#counts.size === 0 ? undefined : Object.fromEntries(this.#counts);
  }
}
