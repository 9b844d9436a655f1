/** Tells when keys are too old. New ones are made with the next traffic: a peer to which nothing is sent may sleep. */
export class RekeyClock {
  readonly #rekey: () => void;
  #timer: NodeJS.Timeout | undefined;
  #due = false;

  /** @param rekey starts an exchange of keys, unless one is under way */
  constructor(rekey: () => void) {
    this.#rekey = rekey;
  }

  start(seconds: number): void {
    this.#timer = setTimeout(() => {
      this.#due = true;
    }, seconds * 1000);
  }

  /** Something is sent, or has come. */
  traffic(): void {
    if (!this.#due) return;
    this.#due = false;
    this.#rekey();
  }

  /** The keys are new. */
  restart(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
