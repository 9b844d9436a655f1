import type { Coverage } from "./coverage.js";
import { Executor, type Failure, type Limits } from "./executor.js";
import type { Harness } from "./harness.js";
import { minimise } from "./minimise.js";
import { Mutator } from "./mutator.js";
import type { Random } from "./random.js";

const DEFAULT_MAXIMUM_LENGTH = 4096;

/** Milliseconds between reports. */
const TURN = 100;

/** Milliseconds between looks at the memory that stays in use, and bytes by which it may have grown since the first. */
const MEMORY_INTERVAL = 20_000;
const MAXIMUM_GROWTH = 64 * 1024 * 1024;

/** Inputs that were kept last and are taken half of the time. */
const RECENT = 24;

export interface FuzzerOptions {
  readonly random: Random;
  /** Without it inputs are made of the seeds alone, and none is kept. */
  readonly coverage?: Coverage;
  readonly seconds?: number;
  readonly runs?: number;
  readonly limits?: Limits;
  /** Called before each run. */
  readonly starting?: (input: Buffer) => void;
  /** Called for each input with which something new was covered. */
  readonly kept?: (input: Buffer) => void;
  readonly found?: (failure: Failure, input: Buffer) => void;
  /** Called about ten times a second. */
  readonly turn?: (progress: Progress) => void;
}

export interface Progress {
  readonly runs: number;
  readonly seconds: number;
  readonly corpus: number;
  readonly findings: number;
}

/** Looks for inputs that a harness does not bear. */
export class Fuzzer {
  readonly #harness: Harness;
  readonly #options: FuzzerOptions;
  readonly #executor: Executor;
  readonly #corpus: Buffer[] = [];
  readonly #signatures = new Set<string>();
  readonly #start = performance.now();
  #runs = 0;
  #lastTurn = performance.now();
  #lastLook = performance.now();
  #baseline: number | undefined;
  #corpusBytes = 0;

  constructor(harness: Harness, options: FuzzerOptions) {
    this.#harness = harness;
    this.#options = options;
    this.#executor = new Executor(harness, options.limits);
  }

  /** Runs the seeds, then inputs made of them, until time or number of runs is reached. */
  async run(seeds: readonly Buffer[]): Promise<Progress> {
    const { random, coverage, runs = Number.POSITIVE_INFINITY, seconds = Number.POSITIVE_INFINITY } = this.#options;
    using _ = this.#executor;
    for (const seed of seeds) {
      const isNew = await this.#execute(seed);
      if (isNew || coverage === undefined) this.#keep(seed);
    }
    if (this.#corpus.length === 0) this.#keep(Buffer.alloc(0));
    const { maximumLength = DEFAULT_MAXIMUM_LENGTH } = this.#harness;
    const mutator = new Mutator(random, maximumLength, coverage?.literals);
    const seedRuns = this.#runs;
    while (this.#runs - seedRuns < runs && this.#seconds < seconds) {
      const input = mutator.mutate(this.#pick(), random.pick(this.#corpus));
      if (!(await this.#execute(input))) continue;
      this.#keep(input);
      this.#options.kept?.(input);
    }
    return this.#progress;
  }

  get #seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  get #progress(): Progress {
    const { size: findings } = this.#signatures;
    return { runs: this.#runs, seconds: this.#seconds, corpus: this.#corpus.length, findings };
  }

  #pick(): Buffer {
    const { random } = this.#options;
    return random.pick(random.oneIn(2) ? this.#corpus : this.#corpus.slice(-RECENT));
  }

  #keep(input: Buffer): void {
    this.#corpus.push(input);
    this.#corpusBytes += input.length;
  }

  /** @returns whether something was covered for the first time */
  async #execute(input: Buffer): Promise<boolean> {
    const { coverage, starting } = this.#options;
    starting?.(input);
    coverage?.reset();
    const failure = await this.#executor.run(input);
    this.#runs++;
    const isNew = coverage?.collect() ?? false;
    if (failure !== undefined) await this.#report(failure, input);
    if (performance.now() - this.#lastTurn > TURN) await this.#takeTurn();
    return isNew && failure === undefined;
  }

  async #report(failure: Failure, input: Buffer): Promise<void> {
    if (this.#signatures.has(failure.signature)) return;
    this.#signatures.add(failure.signature);
    const shows = async (candidate: Buffer) => {
      this.#options.starting?.(candidate);
      return (await this.#executor.run(candidate))?.signature === failure.signature;
    };
    const isQuick = failure.kind === "error" || failure.kind === "stray";
    const smallest = isQuick ? await minimise(input, shows) : input;
    this.#options.found?.(failure, smallest);
  }

  async #takeTurn(): Promise<void> {
    this.#options.turn?.(this.#progress);
    this.#lastTurn = performance.now();
    if (this.#lastTurn - this.#lastLook > MEMORY_INTERVAL) await this.#lookAtMemory();
  }

  async #lookAtMemory(): Promise<void> {
    this.#lastLook = performance.now();
    if (globalThis.gc === undefined) return;
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    const inUse = heapUsed + external - this.#corpusBytes;
    this.#baseline ??= inUse;
    const growth = inUse - this.#baseline;
    if (growth <= MAXIMUM_GROWTH) return;
    const text = `${growth} bytes more stay in use than in the beginning, after ${this.#runs} runs`;
    await this.#report({ kind: "memory", signature: "growth", text }, Buffer.alloc(0));
  }
}
