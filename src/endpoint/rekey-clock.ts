/** Tells when keys are too old. New ones are made with the next traffic: a peer to which nothing is sent may sleep. */
export class RekeyClock {
  readonly #timer: NodeJS.Timeout;
  #due = false;

  constructor(seconds: number) {
    this.#timer = setTimeout(() => {
      this.#due = true;
    }, seconds * 1000);
  }

  /**
   * Something is sent, or has come.
   *
   * @returns whether new keys are to be made; once for each time that it is so
   */
  traffic(): boolean {
    const due = this.#due;
    this.#due = false;
    return due;
  }

  /** The keys are new. */
  restart(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
