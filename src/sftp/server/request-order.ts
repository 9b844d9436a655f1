/** The access of a request to a part of a file. */
export interface FileAccess {
  /** Which file: the same for all its handles. */
  readonly identity: string;
  readonly access: "read" | "write";
  /** Bytes from the start of the file; `end` is the first that is not touched. */
  readonly start: number;
  readonly end: number;
}

/** The names and files that a request may have in common with others. */
export interface Footprint {
  /** The effect on names: it looks at them, changes them, or changes them and the content of a file behind one. */
  readonly names?: "read" | "change" | "change-content";
  readonly files?: readonly FileAccess[];
  /** Requests with the same text here run one at a time. */
  readonly alone?: string;
}

interface Entry {
  readonly footprint: Footprint;
  readonly start: () => void;
  started: boolean;
}

/**
 * Keeps the order of requests where it makes a difference: results are as if each had waited for the one before
 * (draft-ietf-secsh-filexfer-02 §6.1). Whatever touches other files, or other parts of one, runs beside.
 */
export class RequestOrder {
  /** In the order they came. */
  readonly #unfinished: Entry[] = [];
  #waiting = 0;
  readonly #awaited = new Set<{ readonly isMet: () => boolean; readonly resolve: () => void }>();

  /** Requests that have not finished. */
  get size(): number {
    return this.#unfinished.length;
  }

  /** Runs `task`, which never rejects, once all that came before and could make a difference to it has finished. */
  run(footprint: Footprint, task: () => Promise<void>): void {
    const entry: Entry = {
      footprint,
      started: false,
      start: () => {
        entry.started = true;
        void task().then(() => this.#finish(entry));
      },
    };
    const mustWait = this.#unfinished.some((earlier) => conflict(earlier.footprint, footprint));
    this.#unfinished.push(entry);
    if (mustWait) this.#waiting++;
    else entry.start();
  }

  /** Resolves when no unfinished request touches the file. */
  released(identity: string): Promise<void> {
    return this.#until(() => !this.#unfinished.some(({ footprint }) => touches(footprint, identity)));
  }

  /** Resolves when no request is unfinished. */
  drained(): Promise<void> {
    return this.#until(() => this.#unfinished.length === 0);
  }

  #until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (isMet()) resolve();
      else this.#awaited.add({ isMet, resolve });
    });
  }

  #finish(entry: Entry): void {
    this.#unfinished.splice(this.#unfinished.indexOf(entry), 1);
    this.#startWaiting();
    for (const condition of this.#awaited) {
      if (!condition.isMet()) continue;
      this.#awaited.delete(condition);
      condition.resolve();
    }
  }

  #startWaiting(): void {
    if (this.#waiting === 0) return;
    const earlier: Entry[] = [];
    for (const candidate of [...this.#unfinished]) {
      if (!candidate.started && !earlier.some(({ footprint }) => conflict(footprint, candidate.footprint))) {
        this.#waiting--;
        candidate.start();
      }
      earlier.push(candidate);
    }
  }
}

function touches({ files = [], alone }: Footprint, identity: string): boolean {
  return alone === identity || files.some((file) => file.identity === identity);
}

/** Whether a later request could notice that an earlier one has not finished, or disturb it. */
function conflict(earlier: Footprint, later: Footprint): boolean {
  if (earlier.alone !== undefined && earlier.alone === later.alone) return true;
  if (earlier.names !== undefined && later.names !== undefined) {
    if (earlier.names !== "read" || later.names !== "read") return true;
  }
  const earlierFiles = earlier.files ?? [];
  const laterFiles = later.files ?? [];
  // Names show what is in a file: its size, its times, its hash.
  if (later.names !== undefined && earlierFiles.some(({ access }) => access === "write")) return true;
  if (earlier.names !== undefined && laterFiles.some(({ access }) => access === "write")) return true;
  if (later.names === "change-content" && earlierFiles.length > 0) return true;
  if (earlier.names === "change-content" && laterFiles.length > 0) return true;
  return earlierFiles.some((one) => laterFiles.some((other) => meet(one, other)));
}

function meet(one: FileAccess, other: FileAccess): boolean {
  if (one.access === "read" && other.access === "read") return false;
  return one.identity === other.identity && one.start < other.end && other.start < one.end;
}
