import type { ProcessLine } from "../calls/process-line.js";

/** A file that a worker has open. */
export interface Hold {
  readonly line: ProcessLine;
  readonly number: number;
  /** Bytes that the tree may hold when it has grown by this. */
  readonly limit: number;
  entry: CountedEntry | undefined;
  /** Whether it changes nothing any more. */
  isLeaving: boolean;
}

/** A file as it counts: while workers have it open, and when nobody knows how one that has died has left it. */
export class CountedEntry {
  readonly identity: string | symbol;
  path: string | undefined;
  readonly holds = new Set<Hold>();
  /** Bytes up to which workers may write without a question. */
  reach = 0;
  /** Bytes that several workers append, beyond that. */
  appended = 0;
  /** Whether anybody has looked at the file. Until then it counts with its tree. */
  isKnown = false;
  /** Whether several workers have had it open since the last look. */
  isShared = false;
  /** Whether it may be shorter than it counts. */
  isUnsure = false;
  isUnnamed = false;
  /** What was known by the same identity, and has no name: the same file, perhaps. */
  former: CountedEntry | undefined;
  /** Whether it was made larger once. */
  hasGrown = false;
  /** Whether its worker may write more than it has asked for. */
  hasAdvance = false;
  /** The worker that looks at it; all others wait. */
  looker: Hold | undefined;
  /** Resolves when its worker has given back what it does not need. */
  reclaiming: Promise<void> | undefined;
  /** How often workers were asked to look, in vain. */
  visits = 0;
  #waiting: (() => void)[] = [];

  constructor(identity: string | symbol, former: CountedEntry | undefined) {
    this.identity = identity;
    this.former = former;
  }

  /** Bytes. */
  get counted(): number {
    return this.reach + this.appended;
  }

  /** Whether a worker has it that does not know of any other. */
  get mayBecomeShared(): boolean {
    return this.isKnown && this.holds.size > 0 && !this.isShared;
  }

  /** What somebody has seen while nobody else had the file. */
  set(size: number): void {
    this.reach = size;
    this.appended = 0;
    this.isKnown = true;
    this.isShared = false;
    this.isUnsure = false;
    this.hasAdvance = false;
    this.visits = 0;
  }

  /** Resolves when the look that is taken is over; rejects with the reason of the signal. */
  lookOver(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }

  endLook(): void {
    this.looker = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
