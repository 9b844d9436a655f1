/** Wrong codes in a row that cost nothing: people mistype, and their clocks are late. */
const FREE_FAILURES = 5;
/** Seconds that codes are refused after one more; doubled with each. */
const FIRST_PAUSE = 30;
/** Seconds: some 96 guesses a day then, each of them good for 3 codes of a million. */
const LONGEST_PAUSE = 15 * 60;
/** Seconds after which failures are forgotten. */
const MEMORY = 24 * 60 * 60;

interface Failures {
  readonly count: number;
  /** Seconds since 1970, likewise `last`. */
  readonly pausedUntil: number;
  readonly last: number;
}

/**
 * Limits the guessing of one user's codes, from however many connections: after a few wrong ones in a row, codes are
 * not looked at for a growing time. Only users with a secret are noted: no code is right for others.
 */
export class GuessLimit {
  /** By user name, the longest untouched first. */
  readonly #failures = new Map<string, Failures>();

  /** @param now seconds since 1970 */
  isPaused(username: string, now: number): boolean {
    return (this.#failures.get(username)?.pausedUntil ?? 0) > now;
  }

  /** @returns how long codes are refused now, seconds */
  failed(username: string, now: number): number {
    this.#forgetOld(now);
    const count = (this.#failures.get(username)?.count ?? 0) + 1;
    const excess = count - FREE_FAILURES;
    const pause = excess < 0 ? 0 : Math.min(FIRST_PAUSE * 2 ** Math.min(excess, 20), LONGEST_PAUSE);
    this.#failures.delete(username);
    this.#failures.set(username, { count, pausedUntil: now + pause, last: now });
    return pause;
  }

  succeeded(username: string): void {
    this.#failures.delete(username);
  }

  #forgetOld(now: number): void {
    for (const [username, { last }] of this.#failures) {
      if (last > now - MEMORY) return;
      this.#failures.delete(username);
    }
  }
}
