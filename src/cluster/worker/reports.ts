import type { ProcessLine } from "../calls/process-line.js";
import { type Login, MAX_REPORTS, REPORTS } from "../messages.js";

/** Milliseconds between two messages: to wake the primary costs more than most of what it is told. */
const INTERVAL = 10;

/** Tells the primary what becomes of connections: what is taken and what comes first at once, and what follows soon after together. */
export class Reports {
  readonly #line: ProcessLine;
  #taken: number[] = [];
  #loggedIn: Login[] = [];
  #gone: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(line: ProcessLine) {
    this.#line = line;
  }

  /** Before anything is said to the client: if this worker died, another would be given the connection and greet it again. */
  taken(id: number): void {
    this.#taken.push(id);
    this.flush();
  }

  loggedIn(login: Login): void {
    this.#loggedIn.push(login);
    this.#soon();
  }

  gone(id: number): void {
    this.#gone.push(id);
    this.#soon();
  }

  /** Tells what is there to tell, before something is asked that depends on it. */
  flush(): void {
    const [taken, loggedIn, gone] = [this.#taken, this.#loggedIn, this.#gone];
    if (taken.length + loggedIn.length + gone.length === 0) return;
    [this.#taken, this.#loggedIn, this.#gone] = [[], [], []];
    this.#line.notify(REPORTS, { taken, loggedIn, gone });
  }

  #soon(): void {
    if (this.#timer === undefined) {
      this.flush();
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.flush();
      }, INTERVAL);
    } else if (this.#taken.length + this.#loggedIn.length + this.#gone.length >= MAX_REPORTS) {
      this.flush();
    }
  }
}
