import type { Logger } from "../../base/logger.js";
import type { Refusal, RefusalReason } from "./refusal.js";

/** Milliseconds that refusals are collected for after one was logged. */
const INTERVAL = 10_000;

/**
 * Logs refusals: the first for each reason at once, so that a flood does not hide what else goes on; those that follow
 * as one line with their counts at the end of each interval, until there is one without any.
 */
export class RefusalLog {
  #logger: Logger;
  /** Refusals since the last line about them, by their reason, for the reasons that are collected. */
  #counts = new Map<RefusalReason, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  set logger(logger: Logger) {
    this.#logger = logger;
  }

  /** @param details for the log line, should it be this refusal that gets one */
  refused({ reason, remoteAddress }: Omit<Refusal, "worker">, details: object = {}): void {
    const count = this.#counts.get(reason);
    this.#counts.set(reason, count === undefined ? 0 : count + 1);
    if (count === undefined) this.#logger.info({ reason, remoteAddress, ...details }, "a connection was refused");
    this.#timer ??= setInterval(() => this.#summarise(), INTERVAL).unref();
  }

  /** Logs what was collected and stops. */
  flush(): void {
    this.#summarise();
    this.#counts.clear();
    this.#stop();
  }

  #summarise(): void {
    const counted = [...this.#counts].filter(([, count]) => count > 0);
    this.#counts = new Map(counted.map(([reason]) => [reason, 0]));
    if (counted.length === 0) {
      this.#stop();
      return;
    }
    const refused = counted.reduce((total, [, count]) => total + count, 0);
    this.#logger.info({ refused, reasons: Object.fromEntries(counted) }, "more connections were refused");
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
