type Answer = boolean | Promise<boolean>;

/** Bytes of requests that may wait on one connection for the ones before them. */
const MAX_WAITING_BYTES = 128 * 1024;

/** The cost of a waiting request beside its own bytes, bytes. */
const REQUEST_OVERHEAD = 1024;

/** Keeps in bounds what waits in all queues of a connection: over the limit, it handles no further messages. */
export class WaitingBudget {
  readonly #hold: () => () => void;
  #bytes = 0;
  #release: (() => void) | undefined;

  /** @param hold stops the handling of the connection's messages until the returned function is called */
  constructor(hold: () => () => void) {
    this.#hold = hold;
  }

  take(bytes: number): void {
    this.#bytes += bytes + REQUEST_OVERHEAD;
    if (this.#bytes > MAX_WAITING_BYTES) this.#release ??= this.#hold();
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes + REQUEST_OVERHEAD;
    if (this.#bytes > MAX_WAITING_BYTES / 2) return;
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }
}

interface Waiting {
  readonly bytes: number;
  readonly run: () => Promise<void> | undefined;
}

/** Handles requests one after the other, in the order they came, over handlers that may be asynchronous. */
export class RequestQueue {
  readonly #budget: WaitingBudget;
  #waiting: Waiting[] = [];
  #busy = false;
  #idle: (() => void) | undefined;

  constructor(budget: WaitingBudget) {
    this.#budget = budget;
  }

  /**
   * @param bytes that the request keeps in memory
   * @param handle decides the request; a throw or rejection counts as `false` after `failed` was told
   * @param answered is told the decision
   */
  add(
    bytes: number,
    handle: () => Answer,
    answered: (answer: boolean) => void,
    failed: (error: unknown) => void,
  ): void {
    const run = () => settle(handle, answered, failed);
    if (this.#busy) {
      this.#budget.take(bytes);
      this.#waiting.push({ bytes, run });
    } else {
      this.#run(run).catch(failed);
    }
  }

  /** Drops what waits; calls `idle` once the request that is being handled, if any, was decided. */
  clear(idle: () => void): void {
    for (const { bytes } of this.#waiting.splice(0)) this.#budget.giveBack(bytes);
    if (this.#busy) this.#idle = idle;
    else idle();
  }

  /** Runs synchronously as far as the handlers do. */
  async #run(first: Waiting["run"]): Promise<void> {
    this.#busy = true;
    try {
      for (let run: Waiting["run"] | undefined = first; run !== undefined; run = this.#next()) {
        const pending = run();
        if (pending !== undefined) await pending;
      }
    } finally {
      this.#busy = false;
      this.#idle?.();
    }
  }

  #next(): Waiting["run"] | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#budget.giveBack(next.bytes);
    return next?.run;
  }
}

function settle(
  handle: () => Answer,
  answered: (answer: boolean) => void,
  failed: (error: unknown) => void,
): Promise<void> | undefined {
  const decide = (answer: boolean) => {
    try {
      answered(answer);
    } catch (error) {
      failed(error);
    }
  };
  const refuse = (error: unknown) => {
    failed(error);
    decide(false);
  };
  let answer: Answer;
  try {
    answer = handle();
  } catch (error) {
    refuse(error);
    return undefined;
  }
  if (answer instanceof Promise) return answer.then(decide, refuse);
  decide(answer);
  return undefined;
}
