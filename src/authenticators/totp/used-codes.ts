/** Seconds. A time further ahead is of a clock that was wrong and has been put right: nothing is kept for it. */
const FARTHEST = 24 * 60 * 60;

/** Notes: each takes a login, and is kept for minutes. */
const MAX_NOTES = 100_000;

interface Note {
  readonly step: number;
  /** Seconds since 1970: the code of the step is too old then. */
  readonly until: number;
}

/**
 * The time step of each user's last code. A code is good once (RFC 6238 §5.2), and no code from before it is good. A
 * note is forgotten when the code is too old to be accepted anyway. Should the clock go back, codes from before the
 * newest of those that were forgotten are not accepted: they may have been used.
 */
export class UsedCodes {
  /** By user, the oldest first. */
  readonly #notes = new Map<string, Note>();
  /** The latest end of a code that was forgotten. */
  #forgottenUntil = 0;

  get size(): number {
    return this.#notes.size;
  }

  /**
   * @param until seconds since 1970, when the code is too old
   * @param now seconds since 1970
   */
  isUsed(user: string, step: number, until: number, now: number): boolean {
    this.#forget(now);
    const note = this.#notes.get(user);
    if (note === undefined || isTooFar(note.until, now)) return until <= this.#forgottenUntil;
    return step <= note.step;
  }

  use(user: string, step: number, until: number, now: number): void {
    this.#notes.delete(user);
    this.#notes.set(user, { step, until });
    this.#forget(now);
  }

  #forget(now: number): void {
    if (isTooFar(this.#forgottenUntil, now)) this.#forgottenUntil = 0;
    for (const [user, { until }] of this.#notes) {
      const isFar = isTooFar(until, now);
      if (!isFar && until > now && this.#notes.size <= MAX_NOTES) return;
      this.#notes.delete(user);
      if (!isFar) this.#forgottenUntil = Math.max(this.#forgottenUntil, until);
    }
  }
}

function isTooFar(time: number, now: number): boolean {
  return time > now + FARTHEST;
}
