import { AsyncLocalStorage } from "node:async_hooks";
import { afterAll, beforeAll, beforeEach, describe, expect, vi } from "vitest";
import { type SharedLedgers, shareLedgers } from "../../src/base/shared-ledgers.js";
import { PrimaryLedgers } from "../../src/cluster/ledgers/primary-ledgers.js";
import { workerLedgers } from "../../src/cluster/ledgers/worker-ledgers.js";
import type * as Quota from "../../src/files/wrappers/quota.js";
import type * as Extent from "../support/extent.js";
import { isLong } from "../support/extent.js";
import { type RelayedWorker, threeWorkers } from "./three-workers.js";

// Every test of codes, guesses, quotas and passwords that passes with one process passes with three: each question is that of
// the next worker.

/** The number of the worker in which something is done. */
const inWorker = new AsyncLocalStorage<number>();
let trees = 0;

/**
 * What is cut comes back when only one worker has the file open; and where nothing tells which file it is, several
 * workers may count it wrongly. In these tests each tree has one worker.
 */
const OF_ONE_WORKER = /what is cut|neither identity nor links/;

/** One quota object in each worker, for one tree: each request goes to the next of them, and a handle stays where it was opened. */
vi.mock("../../src/files/wrappers/quota.js", async (importOriginal) => {
  const original = await importOriginal<typeof Quota>();
  const quota: typeof original.quota = (fileSystem, options) => {
    const name = `tree ${++trees}`;
    const objects = [0, 1, 2].map(() => original.quota(fileSystem, { ...options, name }));
    const isOfOne = OF_ONE_WORKER.test(expect.getState().currentTestName ?? "");
    let turn = 0;
    const turning = Object.keys(objects[0] ?? {}).map((method) => [
      method,
      (...parameters: unknown[]) => {
        const worker = isOfOne ? trees % 3 : turn++ % 3;
        const object = objects[worker] as unknown as Record<string, (...parameters: unknown[]) => unknown>;
        return inWorker.run(worker, () => object[method]?.(...parameters));
      },
    ]);
    return Object.fromEntries(turning);
  };
  return { ...original, quota };
});

// What every file system has to do is the same with any count of processes.
vi.mock("../files/conformance.js", async (importOriginal) => (isLong ? importOriginal() : { describeFileSystem() {} }));

// Random runs take longer where each step is a question to another process.
vi.mock("../support/extent.js", async (importOriginal) => {
  const original = await importOriginal<typeof Extent>();
  return { ...original, extent: (short: number, long: number) => (isLong ? long : Math.ceil(short / 5)) };
});

let workers: readonly RelayedWorker[] = [];

/** Ledgers that are those of the next worker at each look. */
function takingTurns(ledgers: readonly SharedLedgers[]): SharedLedgers {
  let turn = 0;
  const next = () => ledgers[turn++ % ledgers.length] as SharedLedgers;
  return {
    get codes() {
      return next().codes;
    },
    get passwordChecks() {
      return next().passwordChecks;
    },
    get texts() {
      return next().texts;
    },
    get quotas() {
      return (ledgers[inWorker.getStore() ?? 0] as SharedLedgers).quotas;
    },
  };
}

beforeAll(() => {
  workers = threeWorkers();
  shareLedgers(takingTurns(workers.map(({ worker }) => workerLedgers(worker))));
});

/** As if the server were started for each test. */
beforeEach(() => {
  const primary = new PrimaryLedgers();
  for (const { primary: line } of workers) primary.serve(line);
});

afterAll(() => {
  shareLedgers(undefined);
  for (const worker of workers) worker.kill();
});

// Each in a group of its own, as some set the clock.
describe("with three workers", async () => {
  await import("../authenticators/totp/totp.test.js");
});

describe("with three workers", async () => {
  await import("../files/wrappers/quota.test.js");
});

if (isLong) {
  describe("with three workers", async () => {
    await import("../authenticators/passwords/password-file.test.js");
  });
}
