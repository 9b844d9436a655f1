/** A place in a line of replies. */
export interface ReplyPlace {
  /** Resolves when the reply before has left; `undefined` where there is none. */
  readonly comes: Promise<void> | undefined;
  /** Lets the next reply leave. */
  leave(): void;
}

const first: ReplyPlace = { comes: undefined, leave: () => {} };

/** Lets replies to requests that run side by side leave in the order of the requests: a line for each object. */
export class ReplyOrder {
  readonly #last = new WeakMap<object, Promise<void>>();

  /** @param line the line that the reply stands in; without one it waits for nothing */
  join(line: object | undefined): ReplyPlace {
    if (line === undefined) return first;
    const comes = this.#last.get(line);
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#last.set(line, left);
    return { comes, leave };
  }
}
