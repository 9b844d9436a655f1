/** Ends what must not take for ever; one thing at a time. */
export class Deadline {
  readonly #missed: (message: string) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param missed gets what has taken too long */
  constructor(missed: (message: string) => void) {
    this.#missed = missed;
  }

  /** In place of the deadline before. */
  set(milliseconds: number, message: string): void {
    this.clear();
    this.#timer = setTimeout(() => this.#missed(message), milliseconds);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
