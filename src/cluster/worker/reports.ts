import type { ProcessLine } from "../calls/process-line.js";
import { type Login, MAX_REPORTS, REPORTS } from "../messages.js";

/** Milliseconds between two messages about what is urgent: to wake the primary costs more than most of what it is told. */
const INTERVAL = 10;

/** Milliseconds after which is told what is not urgent. */
const LONGEST_TIME = 250;

/** Milliseconds after which it is told when the primary is awake anyway. */
const TIME_WHEN_AWAKE = 200;

/** Tells the primary what becomes of connections: all that happens within some time together, a short one where a place is scarce. */
export class Reports {
  readonly #line: ProcessLine;
  #taken: number[] = [];
  #loggedIn: Login[] = [];
  #gone: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When it fires: `performance.now()`, as all times here. */
  #due = Number.POSITIVE_INFINITY;
  #flushedAt = Number.NEGATIVE_INFINITY;
  /** When the oldest of what is not told yet happened. */
  #since = 0;
  #lastTaken = 0;
  /** All connections up to this one are urgent. */
  #lastUrgent = 0;

  constructor(line: ProcessLine) {
    this.#line = line;
  }

  taken(id: number, isUrgent: boolean): void {
    // One that has waited for another server's worker has a lower number.
    this.#lastTaken = Math.max(this.#lastTaken, id);
    this.#taken.push(id);
    this.#soon(id, isUrgent);
  }

  loggedIn(login: Login, isUrgent: boolean): void {
    this.#loggedIn.push(login);
    this.#soon(login.id, isUrgent);
  }

  /** At once, where that can be and somebody may come for the place. */
  gone(id: number, isUrgent: boolean): void {
    this.#gone.push(id);
    if (this.#isUrgent(id, isUrgent) && performance.now() - this.#flushedAt >= INTERVAL) this.flush();
    else this.#soon(id, isUrgent);
  }

  /** Somebody may come for the place of any connection that is here. */
  hurry(): void {
    this.#lastUrgent = this.#lastTaken;
    this.flush();
  }

  /** The primary has just sent something. */
  primaryIsAwake(): void {
    if (this.#due !== Number.POSITIVE_INFINITY && performance.now() - this.#since >= TIME_WHEN_AWAKE) this.flush();
  }

  /** Tells what is there to tell, before something is asked that depends on it, and at the end. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#due = Number.POSITIVE_INFINITY;
    const [taken, loggedIn, gone] = [this.#taken, this.#loggedIn, this.#gone];
    if (taken.length + loggedIn.length + gone.length === 0) return;
    [this.#taken, this.#loggedIn, this.#gone] = [[], [], []];
    this.#flushedAt = performance.now();
    this.#line.notify(REPORTS, { taken, loggedIn, gone });
  }

  #isUrgent(id: number, isUrgent: boolean): boolean {
    return isUrgent || id <= this.#lastUrgent;
  }

  #soon(id: number, isUrgent: boolean): void {
    if (this.#taken.length + this.#loggedIn.length + this.#gone.length >= MAX_REPORTS) {
      this.flush();
      return;
    }
    const now = performance.now();
    const time = this.#isUrgent(id, isUrgent) ? INTERVAL : LONGEST_TIME;
    if (this.#due === Number.POSITIVE_INFINITY) this.#since = now;
    if (now + time >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = now + time;
    this.#timer = setTimeout(() => this.flush(), time);
  }
}
