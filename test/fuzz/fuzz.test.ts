import { describe, expect, it } from "vitest";
import { extent } from "../support/extent.js";
import { committedFolder, readInputs } from "./engine/corpus.js";
import { Fuzzer } from "./engine/fuzzer.js";
import { harnessNames, loadHarness } from "./engine/harness.js";
import { Random } from "./engine/random.js";

/** The same inputs in every run; `npm run fuzz` looks for others. */
const SEED = 20_260_101;

const DEFAULT_RUNS = 2000;

describe.each(harnessNames())("fuzzing %s", (name) => {
  it(`finds nothing in its corpus, nor in what is made of it with seed ${SEED}`, async () => {
    const harness = await loadHarness(name);
    const seeds = [...harness.seeds, ...readInputs(committedFolder(name))];
    const findings: string[] = [];
    const runs = (harness.shortRun ?? DEFAULT_RUNS) / extent(4, 1);
    const fuzzer = new Fuzzer(harness, {
      random: new Random(SEED),
      runs: Math.max(runs, seeds.length + 50),
      limits: "ignored",
      found: ({ text }, input) => findings.push(`${text}\ninput ${input.toString("base64")}`),
    });
    const done = await fuzzer.run(seeds.map((seed) => Buffer.from(seed)));
    expect(findings).toEqual([]);
    expect(done.runs).toBeGreaterThan(seeds.length);
  }, 120_000);
});
