/** Milliseconds until a worker that crashed at once has a successor: doubled each time. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 30_000;

/** Crashes of workers that have not lived long, one after the other. */
export class CrashWatch {
  readonly #maxCrashes: number;
  #crashes = 0;

  constructor(maxCrashes: number) {
    this.#maxCrashes = maxCrashes;
  }

  get crashes(): number {
    return this.#crashes;
  }

  /**
   * A worker has crashed.
   *
   * @param how `early` if it had not lived long
   * @param othersLive whether another one has lived long: then it is worth while to go on
   * @returns milliseconds until the next one is to be started; `undefined` if none is
   */
  crashed(how: "early" | "late", othersLive: boolean): number | undefined {
    if (how === "late") {
      this.#crashes = 0;
      return 0;
    }
    this.#crashes++;
    if (this.#crashes >= this.#maxCrashes && !othersLive) return undefined;
    return Math.min(FIRST_DELAY * 2 ** (this.#crashes - 1), LONGEST_DELAY);
  }

  /** A worker has lived long. */
  settled(): void {
    this.#crashes = 0;
  }
}
