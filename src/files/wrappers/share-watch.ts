import { stderrLogger } from "../../base/logger.js";
import type { MaybePromise } from "../../base/maybe-promise.js";
import type { ByteBudget } from "../byte-budget.js";

/** How much of a quota is taken, bytes. */
export interface QuotaUsage {
  readonly used: number;
  readonly limit: number;
  /** What can still be stored: 0 where more is used than the limit allows. */
  readonly left: number;
}

/** Told that the stated share of a quota is used. What it throws is a line on standard error and harms nothing; nobody waits for it. */
export type QuotaWarningListener = (usage: QuotaUsage) => MaybePromise<void>;

export function usageOf({ used, limit, free: left }: ByteBudget): QuotaUsage {
  return { used, limit, left };
}

/** Tells once that a share of a budget is used, and again only after less was. */
export class ShareWatch {
  readonly #share: number;
  readonly #listener: QuotaWarningListener;
  #isReached = false;

  /** @param share from 0 to 1 */
  constructor(share: number, listener: QuotaWarningListener) {
    this.#share = share;
    this.#listener = listener;
  }

  look(budget: ByteBudget): void {
    const wasReached = this.#isReached;
    this.#isReached = budget.used >= this.#share * budget.limit;
    if (this.#isReached && !wasReached) void this.#tell(usageOf(budget));
  }

  /** Never in the middle of a change. */
  async #tell(usage: QuotaUsage): Promise<void> {
    await undefined;
    try {
      await this.#listener(usage);
    } catch (err) {
      stderrLogger.warn({ err }, "onWarning of a quota has failed");
    }
  }
}
