import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { systemErrorCode } from "../../../src/base/system-error-code.js";

const SWAP = `
  const { renameSync } = require("node:fs");
  const { name, link, aside, shared } = require("node:worker_threads").workerData;
  while (Atomics.load(shared, 0) === 0) {
    renameSync(name, aside);
    renameSync(link, name);
    renameSync(name, link);
    renameSync(aside, name);
    Atomics.add(shared, 1, 1);
  }
`;

/** Rounds of all operations, at least. */
const ROUNDS = 150;

/** How often the names are swapped meanwhile, at least. */
const SWAPS = 500;

/** Puts a link in the place of a name and back, as fast as it can, in a thread of its own. */
export class Swapper implements AsyncDisposable {
  readonly #shared = new Int32Array(new SharedArrayBuffer(8));
  readonly #ended: Promise<unknown>;

  constructor(name: string, link: string) {
    const workerData = { name, link, aside: `${name}-aside`, shared: this.#shared };
    this.#ended = once(new Worker(SWAP, { eval: true, workerData }), "exit");
  }

  /**
   * Runs all operations at once, again and again. They may fail as operations of a file system do.
   *
   * @returns what those that did not fail came to, and the failures
   */
  async whileSwapping(
    operations: readonly (() => Promise<unknown>)[],
  ): Promise<{ passed: number; failures: unknown[] }> {
    let passed = 0;
    const failures: unknown[] = [];
    for (let round = 0; round < ROUNDS || Atomics.load(this.#shared, 1) < SWAPS; round++) {
      for (const result of await Promise.allSettled(operations.map((operation) => operation()))) {
        if (result.status === "fulfilled") passed++;
        else if (isFailure(result.reason)) failures.push(result.reason);
        else throw result.reason;
      }
    }
    return { passed, failures };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Atomics.store(this.#shared, 0, 1);
    await this.#ended;
  }
}

function isFailure(error: unknown): boolean {
  return systemErrorCode(error)?.startsWith("E") === true;
}
