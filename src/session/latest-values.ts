/** Values that a reader may not have taken; of more, the oldest are dropped. */
const MAX_WAITING = 64;

/** A source of values that come whether or not somebody waits for them. */
export class LatestValues<Value> {
  readonly #readers = new Set<Reader<Value>>();
  readonly #heard: (heard: boolean) => void;
  #ended = false;

  /** @param heard is told when the first reader comes, and when the last one has left */
  constructor(heard: (heard: boolean) => void = () => {}) {
    this.#heard = heard;
  }

  /** Whether somebody listens. */
  get heard(): boolean {
    return this.#readers.size > 0;
  }

  push(value: Value): void {
    for (const reader of this.#readers) reader.push(value);
  }

  /** No more values come: readers end when they have got those that wait. */
  end(): void {
    this.#ended = true;
    for (const reader of this.#readers) reader.end();
  }

  /** The values from now on, of which the latest 64 wait for their reader. */
  values(): AsyncIterableIterator<Value> {
    const reader = new Reader<Value>(() => {
      if (this.#readers.delete(reader) && !this.heard) this.#heard(false);
    });
    if (this.#ended) {
      reader.end();
      return reader;
    }
    if (!this.heard) this.#heard(true);
    this.#readers.add(reader);
    return reader;
  }
}

type Result<Value> = IteratorResult<Value, undefined>;

class Reader<Value> implements AsyncIterableIterator<Value> {
  readonly #left: () => void;
  readonly #waiting: Value[] = [];
  #wanted: ((result: Result<Value>) => void)[] = [];
  #ended = false;

  constructor(left: () => void) {
    this.#left = left;
  }

  push(value: Value): void {
    const take = this.#wanted.shift();
    if (take !== undefined) {
      take({ done: false, value });
      return;
    }
    this.#waiting.push(value);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
  }

  end(): void {
    this.#ended = true;
    this.#left();
    for (const take of this.#wanted.splice(0)) take({ done: true, value: undefined });
  }

  next(): Promise<Result<Value>> {
    const [value] = this.#waiting.splice(0, 1);
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  return(): Promise<Result<Value>> {
    this.#waiting.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
