/** Kinds that are remembered; the oldest is forgotten for a new one. */
const MAX_KINDS = 256;

interface Kind {
  readonly since: number;
  lines: number;
  leftOut: number;
}

/** Keeps a log readable where something is told again and again: of each kind it lets so many lines through in a time. */
export class LineLimit {
  readonly #lines: number;
  readonly #interval: number;
  readonly #kinds = new Map<string, Kind>();

  /**
   * @param lines of one kind that may be written in one interval
   * @param interval milliseconds
   */
  constructor(lines: number, interval: number) {
    this.#lines = lines;
    this.#interval = interval;
  }

  /**
   * @param now milliseconds, as `performance.now()` tells them
   * @returns `undefined` where this line is to be left out, otherwise how many of its kind were since the last one
   */
  admit(name: string, now = performance.now()): number | undefined {
    const known = this.#kinds.get(name);
    if (known === undefined || now - known.since >= this.#interval) {
      this.#begin(name, now);
      return known?.leftOut ?? 0;
    }
    if (known.lines < this.#lines) {
      known.lines++;
      return 0;
    }
    known.leftOut++;
    return undefined;
  }

  #begin(name: string, now: number): void {
    this.#kinds.delete(name);
    const [oldest] = this.#kinds.keys();
    if (oldest !== undefined && this.#kinds.size >= MAX_KINDS) this.#kinds.delete(oldest);
    this.#kinds.set(name, { since: now, lines: 1, leftOut: 0 });
  }
}
