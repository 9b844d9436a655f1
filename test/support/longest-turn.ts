/** Milliseconds that a turn of the event loop may take, on any machine that the tests run on. */
export const LONGEST_TURN = 20;

/** Takes the time of each turn of this process's event loop, while it runs. */
export class TurnMeter {
  #longest = 0;
  #began = 0;
  #processor = process.cpuUsage();
  #isRunning = true;

  constructor() {
    this.#begin();
    setImmediate(this.#look);
  }

  /**
   * Milliseconds of the longest turn. Neither what other programs did meanwhile counts, nor, beside a turn that was short, what
   * other threads did.
   */
  stop(): number {
    this.#isRunning = false;
    return this.#longest;
  }

  #begin(): void {
    this.#began = performance.now();
    this.#processor = process.cpuUsage();
  }

  readonly #look = (): void => {
    if (!this.#isRunning) return;
    const { user, system } = process.cpuUsage(this.#processor);
    const time = Math.min(performance.now() - this.#began, (user + system) / 1000);
    this.#longest = Math.max(this.#longest, time);
    this.#begin();
    setImmediate(this.#look);
  };
}

/**
 * Milliseconds of the longest turn of the event loop while something is done, the shortest of three times: what compiles and collects
 * garbage comes now and then, and what stops the loop each time.
 */
export async function longestTurn(action: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  while (times.length < 3) {
    const meter = new TurnMeter();
    await action();
    await new Promise(setImmediate);
    times.push(meter.stop());
  }
  return Math.min(...times);
}
