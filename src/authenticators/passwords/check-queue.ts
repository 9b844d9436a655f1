import { netBlock, parseAddress } from "../../addresses/address.js";

export interface CheckQueueOptions {
  /** Checks that run together. */
  readonly running: number;
  /** Checks that may wait. */
  readonly waiting: number;
}

/** The part of an asking connection that is looked at. */
export interface CheckOrigin {
  readonly remoteAddress: string | undefined;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

type Start = (verdict: "run" | "dropped") => void;

/** One network of IPv6 is one source: it has more addresses than there could be waiting. */
const SOURCE_BITS = { ipv4: 32, ipv6: 64 } as const;

/**
 * Lets only so many checks run at a time. The others wait, and the addresses that they come from take turns, so that
 * many guesses from one do not delay another's login. If too many wait, the last of the address with the most of them
 * is dropped.
 */
export class CheckQueue {
  readonly #options: CheckQueueOptions;
  /** By source, in the order of their turns. */
  readonly #waiting = new Map<string, Set<Start>>();
  #waitingCount = 0;
  #running = 0;

  constructor(options: CheckQueueOptions) {
    this.#options = options;
  }

  /** @returns `undefined` when the check was not begun: it was dropped, or its client is gone */
  async run<T>(origin: CheckOrigin, check: () => Promise<T>): Promise<T | undefined> {
    if (origin.signal.aborted) return undefined;
    if (this.#running < this.#options.running) this.#running++;
    else if ((await this.#wait(origin)) === "dropped") return undefined;
    try {
      return origin.signal.aborted ? undefined : await check();
    } finally {
      this.#running--;
      this.#startNext();
    }
  }

  async #wait({ remoteAddress, signal }: CheckOrigin): Promise<"run" | "dropped"> {
    const source = sourceOf(remoteAddress);
    const abort = new AbortController();
    const verdict = new Promise<"run" | "dropped">((resolve) => {
      this.#add(source, resolve);
      const leave = () => {
        this.#remove(source, resolve);
        resolve("dropped");
      };
      signal.addEventListener("abort", leave, { once: true, signal: abort.signal });
      if (this.#waitingCount > this.#options.waiting) this.#dropOne();
    });
    try {
      return await verdict;
    } finally {
      abort.abort();
    }
  }

  /** The turn is taken for the next here, so that nobody comes in between. */
  #startNext(): void {
    const [next] = this.#waiting;
    if (next === undefined) return;
    const [source, [start]] = next;
    if (start === undefined) return;
    this.#remove(source, start);
    const others = this.#waiting.get(source);
    if (others !== undefined) {
      this.#waiting.delete(source);
      this.#waiting.set(source, others);
    }
    this.#running++;
    start("run");
  }

  #dropOne(): void {
    let [longest] = this.#waiting;
    for (const queue of this.#waiting) if (longest === undefined || queue[1].size >= longest[1].size) longest = queue;
    const last = longest && [...longest[1]].at(-1);
    if (longest === undefined || last === undefined) return;
    this.#remove(longest[0], last);
    last("dropped");
  }

  #add(source: string, start: Start): void {
    const queue = this.#waiting.get(source);
    if (queue === undefined) this.#waiting.set(source, new Set([start]));
    else queue.add(start);
    this.#waitingCount++;
  }

  #remove(source: string, start: Start): void {
    const queue = this.#waiting.get(source);
    if (!queue?.delete(start)) return;
    this.#waitingCount--;
    if (queue.size === 0) this.#waiting.delete(source);
  }
}

function sourceOf(remoteAddress: string | undefined): string {
  const address = remoteAddress === undefined ? undefined : parseAddress(remoteAddress);
  return address === undefined ? "unknown" : netBlock(address, SOURCE_BITS);
}
