import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { type SharedLedgers, shareLedgers } from "../../src/base/shared-ledgers.js";
import { PrimaryLedgers } from "../../src/cluster/ledgers/primary-ledgers.js";
import { workerLedgers } from "../../src/cluster/ledgers/worker-ledgers.js";
import { isLong } from "../support/extent.js";
import { type RelayedWorker, threeWorkers } from "./three-workers.js";

// Every test of codes, guesses and passwords that passes with one process passes with three: each question is that of
// the next worker.

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

describe("with three workers", async () => {
  await import("../authenticators/totp/totp.test.js");
  if (isLong) await import("../authenticators/passwords/password-file.test.js");
});
