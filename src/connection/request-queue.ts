type Answer = boolean | Promise<boolean>;

/** Requests that may wait for the one before them. */
const MAX_WAITING = 32;

/**
 * Handles requests one after the other, in the order they came, over handlers that may be asynchronous. While too many
 * wait, the connection handles no further messages.
 */
export class RequestQueue {
  readonly #hold: () => () => void;
  readonly #waiting: (() => Promise<void> | undefined)[] = [];
  #release: (() => void) | undefined;
  #busy = false;

  /** @param hold stops the handling of the connection's messages until the returned function is called */
  constructor(hold: () => () => void) {
    this.#hold = hold;
  }

  /**
   * @param handle decides the request; a throw or rejection counts as `false` after `failed` was told
   * @param answered is told the decision; what it throws is told to `failed`
   */
  add(handle: () => Answer, answered: (answer: boolean) => void, failed: (error: unknown) => void): void {
    this.#waiting.push(() => settle(handle, answered, failed));
    if (!this.#busy) void this.#run();
    else if (this.#waiting.length > MAX_WAITING) this.#release ??= this.#hold();
  }

  /** Drops what waits. */
  clear(): void {
    this.#waiting.length = 0;
    this.#release?.();
    this.#release = undefined;
  }

  /** Runs synchronously as far as the handlers do. */
  async #run(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const pending = next();
      if (pending !== undefined) await pending;
      if (this.#waiting.length <= MAX_WAITING / 2) {
        this.#release?.();
        this.#release = undefined;
      }
    }
    this.#busy = false;
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
