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

/** A request in its order. */
export interface OrderedRequest {
  readonly footprint: Footprint;
  /** Whether it does no more than to read files. */
  readonly readsOnly: boolean;
  /** Kept by RequestOrder; "waiting" at first. */
  state: "waiting" | "started" | "finished";
  /** Its turn has come. It never throws, and may finish at once. */
  start(): void;
}

/**
 * Keeps the order of requests where it makes a difference: results are as if each had waited for the one before
 * (draft-ietf-secsh-filexfer-02 §6.1). Whatever touches other files, or other parts of one, runs beside.
 */
export class RequestOrder {
  /** In the order they came. */
  readonly #unfinished: OrderedRequest[] = [];
  #waiting = 0;
  /** Unfinished ones that do more than to read files. */
  #others = 0;
  #isStarting = false;
  readonly #awaited = new Set<{ readonly isMet: () => boolean; readonly resolve: () => void }>();

  /** Requests that have not finished. */
  get size(): number {
    return this.#unfinished.length;
  }

  /** Whether those that have not finished only read files. */
  get onlyReads(): boolean {
    return this.#others === 0;
  }

  /** Starts a request once all that came before and could make a difference to it has finished. */
  add(request: OrderedRequest): void {
    const { footprint, readsOnly } = request;
    // Most are reads of large files, beside many of their kind.
    const mustWait = !(readsOnly && this.#others === 0) && this.#mustWait(footprint, this.#unfinished.length);
    this.#unfinished.push(request);
    if (!readsOnly) this.#others++;
    if (mustWait) this.#waiting++;
    else start(request);
  }

  /** Says that a request has finished, which was started. */
  finish(request: OrderedRequest): void {
    request.state = "finished";
    if (!request.readsOnly) this.#others--;
    if (this.#unfinished.at(-1) === request) this.#unfinished.pop();
    else this.#unfinished.splice(this.#unfinished.indexOf(request), 1);
    if (this.#waiting > 0) this.#startWaiting();
    if (this.#awaited.size === 0) return;
    for (const condition of this.#awaited) {
      if (!condition.isMet()) continue;
      this.#awaited.delete(condition);
      condition.resolve();
    }
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

  /** @param count the number of requests that came before */
  #mustWait(footprint: Footprint, count: number): boolean {
    for (let index = 0; index < count; index++) {
      const earlier = this.#unfinished[index];
      if (earlier !== undefined && conflict(earlier.footprint, footprint)) return true;
    }
    return false;
  }

  #startWaiting(): void {
    // What finishes as soon as it is started lets others start that come later: the loop comes to them.
    if (this.#isStarting) return;
    this.#isStarting = true;
    for (let index = 0; this.#waiting > 0; ) {
      const candidate = this.#unfinished[index];
      if (candidate === undefined) break;
      if (candidate.state === "waiting" && !this.#mustWait(candidate.footprint, index)) {
        this.#waiting--;
        start(candidate);
      }
      if (this.#unfinished[index] === candidate) index++;
    }
    this.#isStarting = false;
  }
}

function start(request: OrderedRequest): void {
  request.state = "started";
  request.start();
}

/** Whether a request of this footprint does no more than to read files. */
export function onlyReads({ names, files, alone }: Footprint): boolean {
  return names === undefined && alone === undefined && !changes(files);
}

function changes(files: Footprint["files"]): boolean {
  if (files === undefined) return false;
  for (const { access } of files) if (access === "write") return true;
  return false;
}

function touches({ files = [], alone }: Footprint, identity: string): boolean {
  return alone === identity || files.some((file) => file.identity === identity);
}

/** Whether a later request could notice that an earlier one has not finished, or disturb it. */
function conflict(earlier: Footprint, later: Footprint): boolean {
  if (earlier.alone !== undefined && earlier.alone === later.alone) return true;
  if (earlier.names !== undefined || later.names !== undefined) return namesConflict(earlier, later);
  return filesConflict(earlier, later);
}

function namesConflict(earlier: Footprint, later: Footprint): boolean {
  if (earlier.names !== undefined && later.names !== undefined) {
    if (earlier.names !== "read" || later.names !== "read") return true;
  }
  // Names show what is in a file: its size, its times, its hash.
  if (later.names !== undefined && changes(earlier.files)) return true;
  if (earlier.names !== undefined && changes(later.files)) return true;
  if (later.names === "change-content" && hasFiles(earlier)) return true;
  if (earlier.names === "change-content" && hasFiles(later)) return true;
  return filesConflict(earlier, later);
}

function hasFiles({ files }: Footprint): boolean {
  return files !== undefined && files.length > 0;
}

function filesConflict(earlier: Footprint, later: Footprint): boolean {
  if (earlier.files === undefined || later.files === undefined) return false;
  for (const one of earlier.files) for (const other of later.files) if (meet(one, other)) return true;
  return false;
}

function meet(one: FileAccess, other: FileAccess): boolean {
  if (one.access === "read" && other.access === "read") return false;
  return one.identity === other.identity && one.start < other.end && other.start < one.end;
}
