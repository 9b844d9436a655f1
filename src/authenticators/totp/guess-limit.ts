/** Wrong codes in a row that cost nothing: people mistype, and their clocks are late. */
const FREE_FAILURES = 5;
/** Seconds that codes are refused after one more; doubled with each. */
const FIRST_PAUSE = 30;
/** Seconds: some 96 guesses a day then, each of them good for 3 codes of a million. */
const LONGEST_PAUSE = 15 * 60;
/** Seconds after which failures are forgotten. */
const MEMORY = 24 * 60 * 60;

/** The number of users whose wrong codes are noted. One user more takes the place of the one whose entry is the oldest. */
const MAX_USERS = 100_000;

interface Failures {
  readonly count: number;
  /** Seconds from `last` on. */
  readonly pause: number;
  /** Seconds since 1970. */
  readonly last: number;
}

/**
 * Limits the guessing of one user's codes, from however many connections: after a few wrong ones in a row, codes are
 * not looked at for a growing time. Only users with a secret are noted: no code is right for others. Should the clock go
 * back, a pause begins anew, so that it lasts no longer than it may.
 */
export class GuessLimit {
  /** By user, the longest untouched first. */
  readonly #failures = new Map<string, Failures>();

  get size(): number {
    return this.#failures.size;
  }

  /** @param now seconds since 1970 */
  isPaused(user: string, now: number): boolean {
    const failures = this.#failures.get(user);
    if (failures === undefined) return false;
    if (failures.last > now) this.#note(user, { ...failures, last: now });
    return Math.min(failures.last, now) + failures.pause > now;
  }

  /** @returns how long codes are refused now, seconds */
  failed(user: string, now: number): number {
    this.#forgetOld(now);
    const count = (this.#failures.get(user)?.count ?? 0) + 1;
    const excess = count - FREE_FAILURES;
    const pause = excess < 0 ? 0 : Math.min(FIRST_PAUSE * 2 ** Math.min(excess, 20), LONGEST_PAUSE);
    this.#note(user, { count, pause, last: now });
    for (const [oldest] of this.#failures) {
      if (this.#failures.size <= MAX_USERS) break;
      this.#failures.delete(oldest);
    }
    return pause;
  }

  succeeded(user: string): void {
    this.#failures.delete(user);
  }

  #note(user: string, failures: Failures): void {
    this.#failures.delete(user);
    this.#failures.set(user, failures);
  }

  #forgetOld(now: number): void {
    for (const [user, failures] of this.#failures) {
      // It goes behind all others, to be found once more there.
      if (failures.last > now) this.#note(user, { ...failures, last: now });
      else if (failures.last > now - MEMORY) return;
      else this.#failures.delete(user);
    }
  }
}
