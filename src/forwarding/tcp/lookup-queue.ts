import { PendingAnswer } from "../../connection/pending-answer.js";

export interface LookupQueueOptions {
  /** Lookups that run together. Up to half of them may be of one owner. */
  readonly running: number;
  /** Lookups that may wait. */
  readonly waiting: number;
}

interface Lookup {
  readonly host: string;
  readonly owner: Owner;
  readonly answers: Set<PendingAnswer<readonly string[]>>;
  isRunning: boolean;
}

interface Owner {
  /** The connection, or what else takes turns with its like. */
  readonly key: object;
  /** By host, those that run before those that wait. */
  readonly lookups: Map<string, Lookup>;
  running: number;
}

/** Too many lookups wait. */
export class LookupQueueFullError extends Error {
  override readonly name = "LookupQueueFullError";
}

/**
 * Lets only so many lookups run at a time. The others wait, and their owners take turns. A lookup that nobody waits for
 * any more still counts until it is over, since its thread cannot be taken from it. What one owner asks about one host
 * is looked up once. If too many lookups wait, the last of the owner with the most of them is dropped.
 */
export class LookupQueue {
  readonly #lookup: (host: string) => Promise<readonly string[]>;
  readonly #options: LookupQueueOptions;
  readonly #maxRunningOfOwner: number;
  /** In the order of their turns. */
  readonly #owners = new Map<object, Owner>();
  #running = 0;
  #waiting = 0;

  constructor(lookup: (host: string) => Promise<readonly string[]>, options: LookupQueueOptions) {
    this.#lookup = lookup;
    this.#options = options;
    this.#maxRunningOfOwner = Math.max(1, Math.floor(options.running / 2));
  }

  /**
   * @param key the owner
   * @returns the addresses. Rejects as the lookup does, with the reason of the signal, and with a LookupQueueFullError
   */
  async find(host: string, key: object, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    const lookup = this.#lookupOf(key, host);
    const answer = new PendingAnswer<readonly string[]>(signal);
    lookup.answers.add(answer);
    this.#startAll();
    if (this.#waiting > this.#options.waiting) this.#dropOne();
    try {
      return await answer.promise;
    } finally {
      lookup.answers.delete(answer);
      if (lookup.answers.size === 0 && !lookup.isRunning) this.#removeWaiting(lookup);
    }
  }

  #lookupOf(key: object, host: string): Lookup {
    const owner = this.#owners.get(key) ?? { key, lookups: new Map(), running: 0 };
    const known = owner.lookups.get(host);
    if (known !== undefined) return known;
    const lookup: Lookup = { host, owner, answers: new Set(), isRunning: false };
    this.#owners.set(key, owner);
    owner.lookups.set(host, lookup);
    this.#waiting++;
    return lookup;
  }

  #startAll(): void {
    while (this.#running < this.#options.running && this.#waiting > 0) {
      const lookup = this.#next();
      if (lookup === undefined) return;
      void this.#run(lookup);
    }
  }

  /** The first lookup that waits, of the owner whose turn it is. */
  #next(): Lookup | undefined {
    for (const owner of this.#owners.values()) {
      if (owner.running >= this.#maxRunningOfOwner) continue;
      for (const lookup of owner.lookups.values()) if (!lookup.isRunning) return lookup;
    }
    return undefined;
  }

  async #run(lookup: Lookup): Promise<void> {
    const { host, owner, answers } = lookup;
    lookup.isRunning = true;
    owner.running++;
    this.#running++;
    this.#waiting--;
    this.#endTurn(owner);
    try {
      const addresses = await this.#lookup(host);
      for (const answer of answers) answer.resolve(addresses);
    } catch (error) {
      for (const answer of answers) answer.reject(error);
    }
    owner.running--;
    this.#running--;
    // Others may have come meanwhile.
    this.#endTurn(owner);
    this.#remove(lookup);
    this.#startAll();
  }

  #endTurn(owner: Owner): void {
    this.#owners.delete(owner.key);
    this.#owners.set(owner.key, owner);
  }

  #dropOne(): void {
    let longest: Lookup[] = [];
    for (const { lookups, running } of this.#owners.values()) {
      if (lookups.size - running < longest.length) continue;
      longest = [...lookups.values()].filter(({ isRunning }) => !isRunning);
    }
    const last = longest.at(-1);
    if (last === undefined) return;
    this.#removeWaiting(last);
    for (const answer of last.answers) answer.reject(new LookupQueueFullError("too many names are being looked up"));
  }

  #removeWaiting(lookup: Lookup): void {
    // Unless it was dropped before.
    if (lookup.owner.lookups.get(lookup.host) !== lookup) return;
    this.#waiting--;
    this.#remove(lookup);
  }

  #remove({ host, owner }: Lookup): void {
    owner.lookups.delete(host);
    if (owner.lookups.size === 0) this.#owners.delete(owner.key);
  }
}
