/** Timers that end together. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>();

  after(milliseconds: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#running.delete(timer);
      act();
    }, milliseconds);
    this.#running.add(timer);
  }

  /** None that runs acts any more. */
  clear(): void {
    for (const timer of this.#running) clearTimeout(timer);
    this.#running.clear();
  }
}
