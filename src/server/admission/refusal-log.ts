import type { Logger } from "../../protocol/logger.js";
import type { Refusal, RefusalReason } from "./refusal.js";

/** Milliseconds that refusals are collected for after one was logged. */
const INTERVAL = 10_000;

/** Logs refusals: the first at once, those that follow as one line with their counts at the end of each interval. */
export class RefusalLog {
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #counts: Partial<Record<RefusalReason, number>> = {};
  #total = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param details for the log line, should it be this refusal that gets one */
  refused({ reason, remoteAddress }: Refusal, details: object = {}): void {
    if (this.#timer === undefined) {
      this.#write({ reason, remoteAddress, ...details }, "a connection was refused");
      this.#timer = setInterval(() => this.#summarise(), INTERVAL).unref();
    } else {
      this.#total++;
      this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
    }
  }

  /** Logs what was collected and stops. */
  flush(): void {
    this.#summarise();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #summarise(): void {
    if (this.#total === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#write({ refused: this.#total, reasons: this.#counts }, "more connections were refused");
    this.#total = 0;
    this.#counts = {};
  }

  #write(fields: object, message: string): void {
    try {
      this.#logger.info(fields, message);
    } catch {
      // A logger that fails must not take the server with it.
    }
  }
}
