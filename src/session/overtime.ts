import type { SessionLife } from "./session-life.js";

/** Milliseconds that a handler gets when its client is gone, or its session has exited. */
const HANDLER_TIME = 10_000;

/** Watches a handler that nobody needs any more, and reports one that goes on all the same. */
export class Overtime {
  /** Resolves when the handler was reported; never where it ends in time. */
  readonly reported: Promise<void>;
  readonly #life: SessionLife;
  readonly #running: () => string;
  #resolve: () => void = () => {};
  #over = false;
  #since = performance.now();

  /** @param running names the function that is waited for */
  constructor(life: SessionLife, conducted: Promise<void>, running: () => string) {
    this.#life = life;
    this.#running = running;
    this.reported = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    let timer: NodeJS.Timeout | undefined;
    life.signal.addEventListener("abort", () => {
      this.#since = performance.now();
    });
    life.onNotNeeded(() => {
      // A handler that hangs does not keep a process from its end.
      timer = setTimeout(() => this.report(), HANDLER_TIME).unref();
    });
    void conducted.then(() => {
      this.#over = true;
      clearTimeout(timer);
    });
  }

  /** The handler has had its time. */
  report(): void {
    if (this.#over) return;
    this.#over = true;
    const { host, endReason: reason } = this.#life;
    const seconds = Math.round((performance.now() - this.#since) / 100) / 10;
    host.log("error", "a session's handler goes on although its session has ended", {
      handler: this.#running(),
      reason,
      seconds,
    });
    this.#resolve();
  }
}
