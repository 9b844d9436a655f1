import { stderrLogger } from "../../base/logger.js";
import type { MaybePromise } from "../../base/maybe-promise.js";
import type { QuotaUsage } from "../../base/quota-ledger.js";
import type { ByteBudget } from "../byte-budget.js";

/** Told that the stated share of a quota is used. What it throws is a line on standard error and harms nothing; nobody waits for it. */
export type QuotaWarningListener = (usage: QuotaUsage) => MaybePromise<void>;

export function usageOf({ used, limit, free: left }: ByteBudget): QuotaUsage {
  return { used, limit, left };
}

/** Tells once that a share is used, and again only after less was. */
export class ShareWatch {
  readonly #share: number;
  readonly #tell: (usage: QuotaUsage) => void;
  #isReached = false;

  /** @param share from 0 to 1 */
  constructor(share: number, tell: (usage: QuotaUsage) => void) {
    this.#share = share;
    this.#tell = tell;
  }

  look(usage: QuotaUsage): void {
    const wasReached = this.#isReached;
    this.#isReached = usage.used >= this.#share * usage.limit;
    if (this.#isReached && !wasReached) this.#tell(usage);
  }
}

/** Tells a listener, never in the middle of a change. */
export async function tellListener(listener: QuotaWarningListener, usage: QuotaUsage): Promise<void> {
  await undefined;
  try {
    await listener(usage);
  } catch (err) {
    stderrLogger.warn({ err }, "onWarning of a quota has failed");
  }
}
