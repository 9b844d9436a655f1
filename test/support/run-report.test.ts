import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { RunReportContent } from "./run-report.js";
import { run, temporaryFolder } from "./tools.js";

const ROOT = resolve(import.meta.dirname, "../..");

const FILES = {
  "good.test.js": `
    import { it } from "vitest";
    it("passes", () => {});
    it.skip("is skipped", () => {});
    let tries = 0;
    it("passes late", { retry: 1 }, () => { if (++tries === 1) throw new Error("not yet"); });`,
  "bad.test.js": `
    import { beforeAll, describe, expect, it } from "vitest";
    it("compares", () => expect({ answer: 41 }).toEqual({ answer: 42 }));
    describe("a suite", () => {
      beforeAll(() => { throw new Error("no server"); });
      it("is not run", () => {});
    });`,
  "broken.test.js": `throw new Error("not a test file");`,
  "leaking.test.js": `
    import { it } from "vitest";
    it("leaks", async () => {
      void Promise.reject(new Error("nobody waits"));
      await new Promise((resolve) => setImmediate(resolve));
    });`,
  "vitest.config.ts": `
    import { RunReport } from ${JSON.stringify(join(ROOT, "test/support/run-report.ts"))};
    export default { test: { reporters: [new RunReport("report.json")], maxWorkers: 1 } };`,
};

describe("the report of a run, and the summary of .ci/run", () => {
  const folder = temporaryFolder();
  let report: RunReportContent;

  beforeAll(async () => {
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
    const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
    await run("sh", ["-c", 'cd "$0" && exec "$@"', folder, process.execPath, vitest, "run"]);
    report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
  });

  const summary = async (...words: string[]) => {
    const { stdout } = await run(process.execPath, [join(ROOT, ".ci/summary.mjs"), ...words]);
    return stdout.toString();
  };

  it("counts tests, and times files", () => {
    expect(report).toMatchObject({ passed: 3, failed: 1, skipped: 2 });
    expect(report.files.map(({ file }) => file).sort()).toEqual([
      "bad.test.js",
      "broken.test.js",
      "good.test.js",
      "leaking.test.js",
    ]);
  });

  it.each([
    ["a test", "bad.test.js", "compares", "expected { answer: 41 } to deeply equal { answer: 42 }"],
    ["a hook", "bad.test.js", "a suite", "no server"],
    ["a file", "broken.test.js", "the file", "not a test file"],
    ["nothing that was waited for", undefined, "an error outside of tests", "nobody waits"],
  ])("tells the failure of %s", (_, file, name, message) => {
    const failure = report.failures.find((other) => other.file === file && other.name === name);
    expect(failure?.errors.join("\n")).toContain(message);
  });

  it("tells what passed at the second try only", async () => {
    expect(report.secondTries).toEqual([
      { file: "good.test.js", name: "passes late", errors: [expect.stringContaining("not yet")] },
    ]);
    const printed = await summary("all tests", "0", "7", join(folder, "report.json"));
    expect(printed).toContain("PASSED AT THE SECOND TRY good.test.js: passes late\n       Error: not yet\n");
  });

  it("is printed with the failures, and the counts last", async () => {
    const printed = await summary("all tests", "1", "7", join(folder, "report.json"));
    expect(printed).toMatch(/FAIL bad\.test\.js: compares\n.+\n.+\n.+\n +- +"answer": 42,\n +\+ +"answer": 41,\n +at /);
    expect(printed).toContain("FAIL bad.test.js: a suite\n       Error: no server\n");
    expect(printed).toMatch(/\ntests: 3 passed, 1 failed, 2 skipped \(all tests, 7 s\)\n$/);
  });

  it("is missed where there is none", async () => {
    const printed = await summary("core", "137", "7", join(folder, "none.json"));
    expect(printed).toContain("core ended with status 137:\n  it left no report");
    expect(printed).toMatch(/\ntests: NO REPORT \(core, 7 s\)\n$/);
  });
});
