import type { WorkerCounts } from "../messages.js";
import type { WorkerProcess } from "./worker-process.js";

/** What one worker has done so far, and what it does. */
export interface WorkerStats extends WorkerCounts {
  /** Its number, from 1 on. */
  readonly worker: number;
}

const NOTHING: WorkerCounts = { accepted: 0, active: 0, authenticated: 0, bytesReceived: 0, bytesSent: 0 };

/** Adds up what the workers count, those that have ended included. */
export class WorkerTotals {
  #ended = NOTHING;

  /** A worker has ended: what it has counted remains. */
  ended({ lastCounts, admitted }: WorkerProcess): void {
    const accepted = Math.max(lastCounts.accepted, admitted);
    this.#ended = sum(this.#ended, { ...lastCounts, accepted, active: 0, authenticated: 0 });
  }

  /**
   * @param workers all that have not ended
   * @returns the sums, those that have ended included, and the counts of each worker
   */
  async of(workers: readonly WorkerProcess[]): Promise<WorkerCounts & { readonly workers: readonly WorkerStats[] }> {
    // Without those that end while they are asked: they are among the workers.
    const ended = this.#ended;
    const count = async (worker: WorkerProcess) => ({ worker: worker.number, ...(await worker.counts()) });
    const each = await Promise.all(workers.map(count));
    return { ...each.reduce(sum, ended), workers: each };
  }
}

function sum(counts: WorkerCounts, others: WorkerCounts): WorkerCounts {
  return {
    accepted: counts.accepted + others.accepted,
    active: counts.active + others.active,
    authenticated: counts.authenticated + others.authenticated,
    bytesReceived: counts.bytesReceived + others.bytesReceived,
    bytesSent: counts.bytesSent + others.bytesSent,
  };
}
