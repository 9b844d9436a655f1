/** Branches that all modules together may have. */
const CAPACITY = 1 << 17;

/** How often a branch was taken, roughly: each class of it that is new for a branch is worth an input. */
function classOf(hits: number): number {
  if (hits < 4) return 1 << (hits - 1);
  if (hits < 8) return 8;
  if (hits < 16) return 16;
  if (hits < 32) return 32;
  return hits < 128 ? 64 : 128;
}

/** Counts the branches that instrumented modules take (instrument.ts), and knows which of that was never seen before. */
export class Coverage {
  readonly hits = new Uint32Array(CAPACITY);
  /** Texts and integers in the code. */
  readonly literals = new Set<string | number>();
  readonly #seen = new Uint8Array(CAPACITY);
  #used = 0;
  #covered = 0;

  /** Makes the counters of this process and lets instrumented modules find them. To be called before they load. */
  static install(): Coverage {
    const coverage = new Coverage();
    Object.assign(globalThis, { __fuzzCoverage: coverage });
    return coverage;
  }

  /** Called by each instrumented module when it loads. */
  module(_url: string, branches: number, literals: readonly (string | number)[]): { hits: Uint32Array; base: number } {
    const base = this.#used;
    this.#used += branches;
    if (this.#used > CAPACITY) throw new Error(`more than ${CAPACITY} branches`);
    for (const literal of literals) this.literals.add(literal);
    return { hits: this.hits, base };
  }

  /** Branches that modules have. */
  get branches(): number {
    return this.#used;
  }

  /** Branches that were ever taken. */
  get covered(): number {
    return this.#covered;
  }

  reset(): void {
    this.hits.fill(0, 0, this.#used);
  }

  /** Whether anything was new since `reset`; it is not new the next time. */
  collect(): boolean {
    let isNew = false;
    for (let index = 0; index < this.#used; index++) {
      const hits = this.hits[index] ?? 0;
      if (hits === 0) continue;
      const seen = this.#seen[index] ?? 0;
      const bit = classOf(hits);
      if ((seen & bit) !== 0) continue;
      if (seen === 0) this.#covered++;
      this.#seen[index] = seen | bit;
      isNew = true;
    }
    return isNew;
  }
}
