/** Lets operations run alone, or together with others of their kind, in the order in which they come. */
export class SharedLock {
  #lastAlone: Promise<unknown> = Promise.resolve();
  readonly #together = new Set<Promise<unknown>>();

  /** Runs `operation` when all that came before is done; what comes after waits for it. */
  alone<T>(operation: () => Promise<T>): Promise<T> {
    const turn = Promise.allSettled([this.#lastAlone, ...this.#together]).then(operation);
    this.#lastAlone = turn.catch(() => undefined);
    return turn;
  }

  /** Runs `operation` when all is done that came before and runs alone. */
  together<T>(operation: () => Promise<T>): Promise<T> {
    const turn = this.#lastAlone.then(operation);
    const end = () => this.#together.delete(turn);
    this.#together.add(turn);
    turn.then(end, end);
    return turn;
  }
}
