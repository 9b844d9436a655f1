import type { ProcessLine } from "../calls/process-line.js";
import { type Login, MAX_REPORTS, REPORTS } from "../messages.js";

/** Milliseconds between two messages: to wake the primary costs more than most of what it is told. */
const INTERVAL = 10;

/** Tells the primary what becomes of connections, all that happens within a short time together. */
export class Reports {
  readonly #line: ProcessLine;
  #taken: number[] = [];
  #loggedIn: Login[] = [];
  #gone: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** `performance.now()` */
  #flushedAt = Number.NEGATIVE_INFINITY;

  constructor(line: ProcessLine) {
    this.#line = line;
  }

  taken(id: number): void {
    this.#taken.push(id);
    this.#soon();
  }

  loggedIn(login: Login): void {
    this.#loggedIn.push(login);
    this.#soon();
  }

  /** At once, where that can be: somebody may come for the place. */
  gone(id: number): void {
    this.#gone.push(id);
    if (performance.now() - this.#flushedAt < INTERVAL) this.#soon();
    else this.flush();
  }

  /** Tells what is there to tell, before something is asked that depends on it, and at the end. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [taken, loggedIn, gone] = [this.#taken, this.#loggedIn, this.#gone];
    if (taken.length + loggedIn.length + gone.length === 0) return;
    [this.#taken, this.#loggedIn, this.#gone] = [[], [], []];
    this.#flushedAt = performance.now();
    this.#line.notify(REPORTS, { taken, loggedIn, gone });
  }

  #soon(): void {
    if (this.#taken.length + this.#loggedIn.length + this.#gone.length >= MAX_REPORTS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), INTERVAL);
  }
}
