export type NoteLevel = "warn" | "info" | "debug";

/**
 * Messages of one client that were ignored, or refused. The first of each kind is a line in the log; all are counted, so
 * that a million of them cost no memory and no log.
 */
export class CountedMessages {
  #counts: Map<string, number> | undefined;
  readonly #first: (kind: string, details: object, level: NoteLevel) => void;

  /** @param first called for the first message of each kind */
  constructor(first: (kind: string, details: object, level: NoteLevel) => void) {
    this.#first = first;
  }

  /**
   * @param kind one of a fixed set, without any text of the client
   * @param details of this message, for the log
   * @param level of the line: debug for what every stock client sends, warn for what the program should know
   */
  note(kind: string, details: object = {}, level: NoteLevel = "info"): void {
    this.#counts ??= new Map();
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count === 1) this.#first(kind, details, level);
  }

  /** The number of messages of each kind; `undefined` if there were none. */
  get counts(): Readonly<Record<string, number>> | undefined {
    return this.#counts && Object.fromEntries(this.#counts);
  }
}
