import { ftruncateSync, openSync, writeSync } from "node:fs";
import { register } from "node:module";
import { committedFolder, findingsFolder, foundFolder, presentInputFile, readInputs, storeInput } from "./corpus.js";
import { Coverage } from "./coverage.js";
import type { Failure } from "./executor.js";
import { Fuzzer, type Progress } from "./fuzzer.js";
import { loadHarness } from "./harness.js";
import { Random } from "./random.js";

/** What a process of the fuzzer is told, as its only parameter in JSON. */
export interface Task {
  readonly name: string;
  readonly seed: number;
  readonly seconds?: number;
  readonly runs?: number;
}

/** What it tells. */
export type Report =
  | ({ readonly kind: "progress" | "done"; readonly covered: number; readonly branches: number } & Progress)
  | { readonly kind: "finding"; readonly path: string; readonly failure: Failure };

const { name, seed, ...limits } = JSON.parse(process.argv[2] ?? "{}") as Task;
const send = (report: Report) => process.send?.(report);

register("./loader.mjs", import.meta.url);
const coverage = Coverage.install();
const harness = await loadHarness(name);
const presentInput = openSync(presentInputFile(name), "w+");
const seeds = [...harness.seeds, ...readInputs(committedFolder(name)), ...readInputs(foundFolder(name))];

const fuzzer = new Fuzzer(harness, {
  random: new Random(seed),
  coverage,
  ...limits,
  starting(input) {
    ftruncateSync(presentInput, input.length);
    writeSync(presentInput, input, 0, input.length, 0);
  },
  kept: (input) => storeInput(foundFolder(name), input),
  found(failure, input) {
    const path = storeInput(findingsFolder(name), input, `${failure.kind}-`);
    send({ kind: "finding", path, failure });
  },
  turn: (progress) => send({ kind: "progress", ...progress, ...counts() }),
});
const result = await fuzzer.run(seeds.map((input) => Buffer.from(input)));
send({ kind: "done", ...result, ...counts() });
// Timers and handles that harnesses have left would keep it alive; what was sent has to leave first.
setImmediate(() => process.disconnect());
process.once("disconnect", () => process.exit());

function counts() {
  return { covered: coverage.covered, branches: coverage.branches };
}
