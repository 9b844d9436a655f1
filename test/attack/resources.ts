import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { MIB, memoryInUse } from "./memory.js";

/** Bytes by which a file's cases may leave the process larger, over all of them. */
const MAX_GROWTH = 32 * MIB;

/** Milliseconds that handles and timers get to go away. */
const PATIENCE = 10_000;

/** What keeps a process alive; requests under way and the runner's own channels come and go. */
const KINDS = ["TCPSocketWrap", "TCPServerWrap", "Timeout", "Immediate", "PipeWrap", "ProcessWrap", "FSReqCallback"];

/** Timers of the test runner, which come and go. */
const RUNNER_TIMERS = 3;

/** What there was before the first case of a file. */
interface Beginning {
  readonly file: string | undefined;
  readonly memory: number;
  readonly timersWithoutServer: number;
}

/** Of the file that runs now: others have run in this process before it. */
let beginning: Beginning | undefined;

/** Timers and handles of this process, and the memory it needs, as they were when this was made. */
export class Resources {
  readonly #counts = count();
  readonly #beginning: Beginning;

  constructor() {
    const file = expect.getState().testPath;
    if (beginning === undefined || beginning.file !== file) {
      const timersWithoutServer = (this.#counts.get("Timeout") ?? 0) - (this.#counts.get("TCPServerWrap") ?? 0);
      beginning = { file, memory: memoryInUse(), timersWithoutServer };
    }
    this.#beginning = beginning;
  }

  /** Waits until nothing is left of what came since. */
  async expectBack(): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    let excess = this.#excess();
    while (excess.length > 0 && Date.now() < deadline) {
      await pause(5);
      excess = this.#excess();
    }
    expect(excess, "timers and handles that were left behind").toEqual([]);
    this.#expectMemoryBack();
  }

  #excess(): string[] {
    const now = count();
    return KINDS.filter((kind) => (now.get(kind) ?? 0) > this.#allowed(kind));
  }

  /**
   * Timers are counted over all cases of a file, so that one that each case leaves behind shows among the runner's. Each
   * server has a client that is logged in, with one timer.
   */
  #allowed(kind: string): number {
    const before = this.#counts.get(kind) ?? 0;
    if (kind !== "Timeout") return before;
    return this.#beginning.timersWithoutServer + (this.#counts.get("TCPServerWrap") ?? 0) + RUNNER_TIMERS;
  }

  #expectMemoryBack(): void {
    const { heapUsed, external } = process.memoryUsage();
    // A collection takes longer than most cases: only where there is something to collect.
    const { memory } = this.#beginning;
    if (heapUsed + external - memory < MAX_GROWTH) return;
    expect(memoryInUse() - memory, "bytes that were left behind").toBeLessThan(MAX_GROWTH);
  }
}

function count(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
