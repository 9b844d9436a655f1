import { vi } from "vitest";
import { COMPLETED } from "../../../src/files/file-outcome.js";
import { openOptions } from "../../files/conformance/drive.js";
import { Chance } from "./chance.js";
import { type Event, LIMIT, QuotaWorkers, settled, type Worker } from "./quota-workers.js";

const BYTES = Buffer.alloc(2000);
const LONGEST_FILE = 15_000;
const MOST_EVENTS = 20_000;

/** Between two looks at what counts. */
const EVENTS_PER_LOOK = 8;

export interface Plan {
  readonly seed: number;
  /** Different names. */
  readonly files: number;
  /** What each of the two workers that stay does. */
  readonly rounds: number;
  /** How likely time goes by instead of an event. */
  readonly slowness: number;
  /**
   * Whether those that are killed change names, too, and all make hard links. Then files may count in the end that have gone
   * with a worker, or are left where nobody looks.
   */
  readonly isRough: boolean;
}

/**
 * Two workers change the same few files, and a third one that is killed now and then does the same but for names. All else is
 * chance: which message arrives next, what the kernel does next, and how slow each worker is.
 *
 * @throws {Error} with all that has happened, where anything was ever stored that did not count or more than the limit, or
 * where something counts in the end that is not there
 */
export async function simulate(plan: Plan): Promise<void> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    await new Simulation(plan).run();
  } finally {
    vi.useRealTimers();
  }
}

class Simulation {
  readonly #plan: Plan;
  readonly #chance: Chance;
  readonly #workers = new QuotaWorkers();
  readonly #speeds = new Map<Worker, number>();
  readonly #past: string[] = [];
  #working = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#chance = new Chance(plan.seed);
  }

  async run(): Promise<void> {
    const { rounds, isRough } = this.#plan;
    for (let stays = 0; stays < 2; stays++) void this.#churn(this.#start(), rounds, isRough ? 7 : 6);
    let dying: Worker | undefined;
    for (let count = 0; ; count++) {
      if (count > MOST_EVENTS) this.#fail("comes to no end");
      await settled();
      if (count % EVENTS_PER_LOOK === 0) await this.#look();
      if (this.#chance.happens(0.02)) this.#changeSpeeds();
      if (dying === undefined && this.#working === 2) {
        dying = this.#start();
        void this.#churn(dying, Number.POSITIVE_INFINITY, isRough ? 7 : 4);
      }
      if (dying !== undefined && this.#chance.happens(this.#working > 1 ? 0.01 : 0.1)) {
        this.#past.push(`${dying.name} is killed`);
        this.#workers.kill(dying, () => this.#chance.happens(0.5));
        this.#working--;
        dying = undefined;
      } else if (this.#chance.happens(this.#plan.slowness))
        this.#letTimeGoBy(this.#chance.oneOf([100, 1000, 2100, 3000]));
      else if (!this.#next() && !this.#nextTimer()) break;
    }
    const counted = await this.#look();
    if (this.#working > 0) this.#fail("leaves a worker waiting");
    if (!isRough && counted !== this.#workers.disk.stored)
      this.#fail(`counts ${counted - this.#workers.disk.stored} too much`);
  }

  #start(): Worker {
    const worker = this.#workers.start();
    worker.process.isPrompt = this.#chance.happens(0.3);
    return worker;
  }

  /** @param kinds of changes: the first four, and those of names */
  async #churn(worker: Worker, rounds: number, kinds: number): Promise<void> {
    this.#working++;
    for (let round = 0; round < rounds && worker.state === "alive"; round++) {
      // Some fail: there is no room, another has removed the file, or the answer of the primary is too late.
      await Promise.allSettled(Array.from({ length: 1 + this.#chance.below(3) }, () => this.#change(worker, kinds)));
    }
    if (worker.state === "alive") this.#working--;
  }

  async #change({ files }: Worker, kinds: number): Promise<void> {
    const [path, other] = [this.#path(), this.#path()];
    const kind = this.#chance.below(kinds);
    if (kind === 4) return files.remove?.(path);
    if (kind === 5) return files.posixRename?.(path, other);
    if (kind === 6) return files.hardlink?.(path, other);
    const how = `write create${kind === 1 ? " append" : ""}${kind === 2 ? " truncate" : ""}`;
    const handle = await files.open?.(path, openOptions(how));
    try {
      for (let writes = this.#chance.below(4); writes > 0; writes--)
        await handle?.write?.(BYTES.subarray(this.#chance.below(BYTES.length)), this.#chance.below(LONGEST_FILE));
      if (kind === 3) await handle?.setstat?.({ size: this.#chance.below(LONGEST_FILE) });
    } finally {
      await handle?.close?.(COMPLETED);
    }
  }

  #path(): string {
    return `/file ${this.#chance.below(this.#plan.files)}`;
  }

  /** @returns what counts */
  async #look(): Promise<number> {
    const counted = await this.#workers.counted();
    const { stored } = this.#workers.disk;
    this.#past.push(`${counted} count, ${stored} are stored`);
    if (stored > counted) this.#fail(`stores ${stored - counted} that do not count`);
    if (stored > LIMIT) this.#fail("stores more than the limit");
    return counted;
  }

  /** @returns whether something was left to happen */
  #next(): boolean {
    const events = [...this.#workers.events((waiting) => 1 + this.#chance.below(waiting))];
    const weights = events.map((event) => this.#weight(event));
    let place = this.#chance.next() * weights.reduce((sum, weight) => sum + weight, 0);
    let index = 0;
    for (; index < events.length - 1; index++) {
      place -= weights[index] ?? 0;
      if (place < 0) break;
    }
    const next = events[index];
    if (next === undefined) return false;
    this.#past.push(next.name);
    next.happen();
    return true;
  }

  /** Messages are mostly faster than the disk. */
  #weight({ worker, call }: Event): number {
    return (this.#speeds.get(worker) ?? 1) * (call === undefined ? 2 : 1);
  }

  #changeSpeeds(): void {
    for (const worker of this.#workers.all) this.#speeds.set(worker, this.#chance.oneOf([0.003, 0.1, 1, 1]));
  }

  #letTimeGoBy(milliseconds: number): void {
    this.#past.push(`${milliseconds} ms`);
    vi.advanceTimersByTime(milliseconds);
  }

  /** @returns whether a deadline was left to pass */
  #nextTimer(): boolean {
    if (vi.getTimerCount() === 0) return false;
    this.#past.push("the next deadline");
    vi.advanceTimersToNextTimer();
    return true;
  }

  #fail(what: string): never {
    throw new Error(`seed ${this.#plan.seed} ${what}\n${this.#past.join("\n")}`);
  }
}
