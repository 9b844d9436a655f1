import { afterEach, describe, expect, it } from "vitest";
import { Coverage } from "./engine/coverage.js";
import type { Failure } from "./engine/executor.js";
import { Fuzzer } from "./engine/fuzzer.js";
import type { Harness } from "./engine/harness.js";
import { instrument } from "./engine/instrument.js";
import { minimise } from "./engine/minimise.js";
import { Mutator } from "./engine/mutator.js";
import { Random } from "./engine/random.js";

afterEach(() => {
  Reflect.deleteProperty(globalThis, "__fuzzCoverage");
});

/** Counts how often each branch of a piece of code is taken. */
function runInstrumented(source: string): { value: unknown; taken: number; coverage: Coverage } {
  const coverage = Coverage.install();
  const value: unknown = new Function(`${instrument(source, "test.js")}\nreturn result;`)();
  const taken = coverage.hits.reduce((sum, hits) => sum + Math.min(1, hits), 0);
  return { value, taken, coverage };
}

describe("instrumented code", () => {
  it.each([
    ["if (true) result = 1; else result = 2;", 1, 1, 2],
    ["if (false) if (true) result = 1; else result = 2;", undefined, 0, 3],
    ["result = true ? false ? 1 : 2 : 3;", 2, 2, 4],
    ["result = (0 ?? 1) || (2 && 3);", 3, 2, 3],
    ["const f = (x) => ({ x }); result = f(4).x;", 4, 1, 1],
    ["const f = (x) => (y) => x + y; result = f(1)(2);", 3, 2, 2],
    ["switch (2) { case 1: result = 1; break; case 2: default: result = 3 }", 3, 1, 2],
    ["try { null.x } catch { result = 5 }", 5, 1, 1],
    ["for (const x of [1, 2]) result = x", 2, 1, 1],
    ["class A { #x = 1; get x() { return this.#x } } result = new A().x", 1, 1, 1],
    ["let i = 0; while (i < 3) i++\nresult = i", 3, 1, 1],
  ])("%s does the same and is counted", (source, expected, taken, branches) => {
    const run = runInstrumented(`let result; ${source}`);
    expect(run.value).toBe(expected);
    expect(run.taken).toBe(taken);
    expect(run.coverage.branches).toBe(branches);
  });

  it("keeps its lines, and tells its literals", () => {
    const coverage = Coverage.install();
    expect(instrument('a("word");\nb();\nc("x".repeat(2));', "x.js").split("\n")).toHaveLength(3);
    expect(coverage.literals.size).toBe(0);
    const { literals } = runInstrumented('const result = ["ssh-word", 77, 1.5, "x"];').coverage;
    expect([...literals]).toEqual(["ssh-word", 77]);
  });
});

describe("Coverage", () => {
  it("knows a branch, and classes of how often it was taken, only once", () => {
    const coverage = new Coverage();
    const { hits, base } = coverage.module("x", 2, []);
    const isNew = (count: number) => {
      coverage.reset();
      hits[base] = count;
      return coverage.collect();
    };
    expect([0, 1, 1, 2, 5, 6, 100, 120].map(isNew)).toEqual([false, true, false, true, true, false, true, false]);
    expect(coverage.covered).toBe(1);
  });
});

describe("Mutator", () => {
  it("makes the same inputs of the same seed, others of another, none too long", () => {
    const make = (seed: number) => {
      const mutator = new Mutator(new Random(seed), 100, ["word"]);
      const inputs: Buffer[] = [Buffer.from("00000003616263", "hex")];
      for (let count = 0; count < 500; count++)
        inputs.push(mutator.mutate(inputs.at(-1) ?? Buffer.alloc(0), Buffer.of(1)));
      return inputs.map((input) => input.toString("hex"));
    };
    expect(make(1)).toEqual(make(1));
    expect(make(1)).not.toEqual(make(2));
    expect(Math.max(...make(1).map((input) => input.length / 2))).toBeLessThanOrEqual(100);
  });

  it("leaves what it is given as it is", () => {
    const mutator = new Mutator(new Random(3), 100);
    const [input, other] = [Buffer.alloc(20, 1), Buffer.alloc(20, 2)];
    for (let count = 0; count < 500; count++) mutator.mutate(input, other);
    expect([input, other]).toEqual([Buffer.alloc(20, 1), Buffer.alloc(20, 2)]);
  });
});

describe("Fuzzer", () => {
  const fuzz = async (run: Harness["run"], limits: Partial<Harness> = {}, runs = 20_000) => {
    const findings: [Failure, Buffer][] = [];
    const fuzzer = new Fuzzer(
      { name: "test", seeds: [], run, ...limits },
      { random: new Random(7), coverage: Coverage.install(), runs, found: (...finding) => findings.push(finding) },
    );
    await fuzzer.run([Buffer.from("start")]);
    return findings;
  };

  it("finds its way through conditions one by one, and reports what lies behind them once and small", async () => {
    const source =
      'let result = (b) => { if (b[0] === 70) if (b[1] === 85) if (b[2] === 90) if (b[3] === 90) return "bug" }';
    const { value } = runInstrumented(source);
    const target = value as (bytes: Buffer) => string | undefined;
    const coverage = Reflect.get(globalThis, "__fuzzCoverage") as Coverage;
    const findings: Buffer[] = [];
    const run = (bytes: Buffer) => {
      if (target(bytes) !== undefined) throw new TypeError("found");
    };
    const fuzzer = new Fuzzer(
      { name: "test", seeds: [], run },
      { random: new Random(7), coverage, runs: 50_000, found: (_, input) => findings.push(input) },
    );
    await fuzzer.run([Buffer.from("start")]);
    expect(findings).toEqual([Buffer.from("FUZZ")]);
  });

  it("reports rejections, and those that nobody waits for", async () => {
    const [[rejection]] = (await fuzz(async () => Promise.reject(new RangeError("late")), {}, 3)) as [
      [Failure, Buffer],
    ];
    expect(rejection).toMatchObject({ kind: "error", text: expect.stringContaining("RangeError: late") });
    const forget = (bytes: Buffer) => {
      if (bytes.includes(0xff)) void Promise.reject(new RangeError("forgotten"));
    };
    const [[stray, input]] = (await fuzz(forget, {}, 500)) as [[Failure, Buffer]];
    expect(stray).toMatchObject({ kind: "stray", text: expect.stringContaining("RangeError: forgotten") });
    expect(input).toEqual(Buffer.of(0xff));
  });

  it("reports what takes too long, and too much memory", async () => {
    const kept: Buffer[] = [];
    const waste = () => {
      kept.length = 0;
      kept.push(Buffer.alloc(8 * 1024 * 1024));
    };
    const large = await fuzz(waste, { memory: { base: 1024 * 1024, perByte: 1 } }, 2);
    expect(large.map(([{ kind }]) => kind)).toEqual(["memory"]);
    const dawdle = () => {
      for (const start = performance.now(); performance.now() - start < 20; );
    };
    expect((await fuzz(dawdle, { maximumTime: 2 }, 2)).map(([{ kind }]) => kind)).toEqual(["slow"]);
  });

  it("reports nothing where there is nothing", async () => {
    expect(await fuzz(() => {}, {}, 100)).toEqual([]);
  });
});

describe("minimise", () => {
  it("leaves what the finding needs", async () => {
    const input = Buffer.from("xxxxxxxxAxxxxBxxxxx");
    const shows = async (bytes: Buffer) => /A.*B/s.test(bytes.toString());
    expect((await minimise(input, shows)).toString()).toBe("AB");
  });
});
