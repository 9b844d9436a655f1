import { getHeapStatistics } from "node:v8";
import type { Harness } from "./harness.js";

const DEFAULT_MAXIMUM_TIME = 500;

/** Runs that have to agree before time or memory count: the machine may have been busy, or the garbage collector. */
const CONFIRMATIONS = 3;

/** What an input has shown. */
export interface Failure {
  readonly kind: "error" | "stray" | "slow" | "memory";
  readonly text: string;
  /** The same for inputs that show the same defect. */
  readonly signature: string;
}

/** Whether the limits of a harness on time and memory are kept: not where other things run in the same process. */
export type Limits = "kept" | "ignored";

interface Outcome {
  readonly failure: Failure | undefined;
  readonly milliseconds: number;
  readonly bytes: number;
}

/** Runs inputs and watches for what they must not lead to. One at a time in a process. */
export class Executor implements Disposable {
  readonly #harness: Harness;
  readonly #limits: Limits;
  #stray: { readonly error: unknown } | undefined;

  constructor(harness: Harness, limits: Limits = "kept") {
    this.#harness = harness;
    this.#limits = limits;
    process.on("unhandledRejection", this.#caught);
    process.on("uncaughtException", this.#caught);
  }

  [Symbol.dispose](): void {
    process.off("unhandledRejection", this.#caught);
    process.off("uncaughtException", this.#caught);
  }

  /** Runs one input. The harness gets a copy of it. */
  async run(input: Buffer): Promise<Failure | undefined> {
    const first = await this.#once(input);
    if (first.failure !== undefined || this.#limits === "ignored") return first.failure;
    const isOver = (outcome: Outcome) => this.#isSlow(outcome) || this.#isLarge(outcome, input);
    if (!isOver(first)) return undefined;
    let last = first;
    for (let count = 1; count < CONFIRMATIONS; count++) {
      last = await this.#once(input);
      if (last.failure !== undefined || !isOver(last)) return last.failure;
    }
    if (this.#isSlow(last)) {
      return {
        kind: "slow",
        signature: "slow",
        text: `took ${Math.round(last.milliseconds)} ms of the processor's time`,
      };
    }
    return { kind: "memory", signature: "memory", text: `${input.length} bytes of input took ${last.bytes} of memory` };
  }

  readonly #caught = (error: unknown): void => {
    this.#stray ??= { error };
  };

  #isSlow({ milliseconds }: Outcome): boolean {
    return milliseconds > (this.#harness.maximumTime ?? DEFAULT_MAXIMUM_TIME);
  }

  #isLarge({ bytes }: Outcome, input: Buffer): boolean {
    const { memory } = this.#harness;
    return memory !== undefined && bytes > memory.base + memory.perByte * input.length;
  }

  async #once(input: Buffer): Promise<Outcome> {
    // Not from the pool, where what lies beside it could be read unnoticed.
    const bytes = Buffer.allocUnsafeSlow(input.length);
    input.copy(bytes);
    const before = memoryInUse();
    // Of the processor: others may keep it from us as long as they like.
    const start = process.cpuUsage();
    let failure: Failure | undefined;
    try {
      const running = this.#harness.run(bytes);
      if (running !== undefined) await running;
    } catch (error) {
      failure = describe("error", error);
    }
    // Rejections that nobody has waited for are told at the end of a turn.
    await new Promise((resolve) => setImmediate(resolve));
    const { user, system } = process.cpuUsage(start);
    const outcome = { milliseconds: (user + system) / 1000, bytes: memoryInUse() - before };
    const stray = this.#stray;
    this.#stray = undefined;
    return { failure: failure ?? (stray && describe("stray", stray.error)), ...outcome };
  }
}

function memoryInUse(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function describe(kind: "error" | "stray", error: unknown): Failure {
  if (!(error instanceof Error)) return { kind, text: String(error), signature: `${kind} ${String(error)}` };
  const { name, message, stack = "" } = error;
  const frame = stack.split("\n").find((line) => /^(?!.*node_modules).*\/(dist|src)\//.test(line)) ?? "";
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : "";
  return {
    kind,
    text: `${kind === "stray" ? "not caught: " : ""}${stack || `${name}: ${message}`}${cause}`,
    signature: `${kind} ${name} ${message.replace(/\d+|[0-9a-f]{8,}/g, "#")} ${frame.trim()}`,
  };
}
