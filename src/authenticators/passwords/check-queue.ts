import { netBlock, parseAddress } from "../../addresses/address.js";
import { isThenable, type MaybePromise } from "../../base/maybe-promise.js";
import type { Turn, TurnLedger, TurnOrigin } from "../../base/shared-ledgers.js";

export interface CheckQueueOptions {
  /** Checks that run together. */
  readonly running: number;
  /** Checks that may wait. */
  readonly waiting: number;
  /** Checks that run together in one process, where they are of several. Default: `running`. */
  readonly runningPerProcess?: number;
}

/** A process in which checks run. */
export interface CheckingProcess {
  running: number;
}

/** A check that waits for its turn. */
interface Waiting {
  readonly process: CheckingProcess;
  readonly start: (turn: Turn | undefined) => void;
}

/** One network of IPv6 is one source: it has more addresses than there could be waiting. */
const SOURCE_BITS = { ipv4: 32, ipv6: 64 } as const;

/**
 * Lets only so many checks run at a time. The others wait, and the addresses that they come from take turns, so that
 * many guesses from one do not delay another's login. If too many wait, the last of the address with the most of them
 * is dropped.
 */
export class CheckQueue implements TurnLedger {
  readonly #options: Required<CheckQueueOptions>;
  /** By source, in the order of their turns. */
  readonly #waiting = new Map<string, Set<Waiting>>();
  readonly #own: CheckingProcess = { running: 0 };
  #waitingCount = 0;
  #running = 0;

  constructor(options: CheckQueueOptions) {
    this.#options = { runningPerProcess: options.running, ...options };
  }

  /** @returns `undefined` when the check is not to be begun: it was dropped, or its client is gone */
  take(origin: TurnOrigin, process: CheckingProcess = this.#own): MaybePromise<Turn | undefined> {
    if (origin.signal.aborted) return undefined;
    return this.#mayRun(process) ? this.#begin(process) : this.#wait(origin, process);
  }

  async #wait({ remoteAddress, signal }: TurnOrigin, process: CheckingProcess): Promise<Turn | undefined> {
    const source = sourceOf(remoteAddress);
    const abort = new AbortController();
    const turn = new Promise<Turn | undefined>((resolve) => {
      const waiting = { process, start: resolve };
      this.#add(source, waiting);
      const leave = () => {
        this.#remove(source, waiting);
        resolve(undefined);
      };
      signal.addEventListener("abort", leave, { once: true, signal: abort.signal });
      if (this.#waitingCount > this.#options.waiting) this.#dropOne();
    });
    try {
      return await turn;
    } finally {
      abort.abort();
    }
  }

  #mayRun(process: CheckingProcess): boolean {
    return this.#running < this.#options.running && process.running < this.#options.runningPerProcess;
  }

  #begin(process: CheckingProcess): Turn {
    this.#running++;
    process.running++;
    return {
      end: () => {
        this.#running--;
        process.running--;
        this.#startNext();
      },
    };
  }

  /** The turn is taken for the next here, so that nobody comes in between. */
  #startNext(): void {
    for (const [source, queue] of this.#waiting) {
      for (const waiting of queue) {
        if (!this.#mayRun(waiting.process)) continue;
        this.#remove(source, waiting);
        if (queue.size > 0) {
          this.#waiting.delete(source);
          this.#waiting.set(source, queue);
        }
        waiting.start(this.#begin(waiting.process));
        return;
      }
    }
  }

  #dropOne(): void {
    let [longest] = this.#waiting;
    for (const queue of this.#waiting) if (longest === undefined || queue[1].size >= longest[1].size) longest = queue;
    const last = longest && [...longest[1]].at(-1);
    if (longest === undefined || last === undefined) return;
    this.#remove(longest[0], last);
    last.start(undefined);
  }

  #add(source: string, waiting: Waiting): void {
    const queue = this.#waiting.get(source);
    if (queue === undefined) this.#waiting.set(source, new Set([waiting]));
    else queue.add(waiting);
    this.#waitingCount++;
  }

  #remove(source: string, waiting: Waiting): void {
    const queue = this.#waiting.get(source);
    if (!queue?.delete(waiting)) return;
    this.#waitingCount--;
    if (queue.size === 0) this.#waiting.delete(source);
  }
}

/**
 * Runs a check when it has its turn.
 *
 * @returns `undefined` when it was not begun
 */
export async function inTurn<T>(
  ledger: TurnLedger,
  origin: TurnOrigin,
  check: () => Promise<T>,
): Promise<T | undefined> {
  const taken = ledger.take(origin);
  const turn = isThenable(taken) ? await taken : taken;
  if (turn === undefined) return undefined;
  try {
    return origin.signal.aborted ? undefined : await check();
  } finally {
    turn.end();
  }
}

function sourceOf(remoteAddress: string | undefined): string {
  const address = remoteAddress === undefined ? undefined : parseAddress(remoteAddress);
  return address === undefined ? "unknown" : netBlock(address, SOURCE_BITS);
}
