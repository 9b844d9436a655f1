interface Waiting {
  readonly isAlone: boolean;
  readonly start: (release: () => void) => void;
}

/** Changes of names that run alone or together, in the order in which they come, whichever process they are of. */
export class NameLock {
  #waiting: Waiting[] = [];
  #together = 0;
  #isAlone = false;

  /** Whether nothing runs or waits. */
  get isFree(): boolean {
    return !this.#isAlone && this.#together === 0;
  }

  /**
   * @param signal fires when nobody waits any more: a turn that comes then goes to the next at once
   * @returns ends the turn, to be called once
   */
  async take(isAlone: boolean, signal: AbortSignal): Promise<() => void> {
    const release = await new Promise<() => void>((start, reject) => {
      const waiting = { isAlone, start };
      this.#waiting.push(waiting);
      signal.addEventListener("abort", () => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        reject(signal.reason);
        this.#startNext();
      });
      this.#startNext();
    });
    if (!signal.aborted) return release;
    release();
    throw signal.reason;
  }

  #startNext(): void {
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      if (this.#isAlone || (next.isAlone && this.#together > 0)) return;
      this.#waiting.shift();
      if (next.isAlone) this.#isAlone = true;
      else this.#together++;
      next.start(next.isAlone ? this.#endAlone : this.#endTogether);
    }
  }

  readonly #endAlone = (): void => {
    this.#isAlone = false;
    this.#startNext();
  };

  readonly #endTogether = (): void => {
    this.#together--;
    this.#startNext();
  };
}
