/** A place in a line. */
export interface Turn {
  /** Resolves when the turn before has ended; `undefined` where there was none. */
  readonly comes: Promise<void> | undefined;
  /** Lets the next one come. */
  end(): void;
}

const always: Turn = { comes: undefined, end: () => {} };

/** Lets what is done side by side be told in the order in which it was asked for: a line for each object. */
export class Turns {
  readonly #last = new WeakMap<object, Promise<void>>();

  /** @param line whose turn it is; without one it always is */
  take(line: object | undefined): Turn {
    if (line === undefined) return always;
    const comes = this.#last.get(line);
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#last.set(line, ended);
    return { comes, end };
  }
}
