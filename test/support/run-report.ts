import { writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

/** What .ci/summary.mjs reads. */
export interface RunReportContent {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
  /** What passed at the second try only: each is a defect, of the code or of the test. */
  readonly secondTries: readonly Failure[];
  readonly files: readonly { readonly file: string; readonly seconds: number }[];
}

interface Failure {
  /** From the root of the checkout; undefined for an error that belongs to none. */
  readonly file?: string;
  /** Of the test, or of the suite whose hook failed. */
  readonly name: string;
  readonly errors: readonly string[];
}

/** Writes the results of a run to a file, as JSON: also the errors that belong to no test. */
export class RunReport implements Reporter {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const unhandled = unhandledErrors.map((error) => ({ name: "an error outside of tests", errors: [textOf(error)] }));
    const content: RunReportContent = {
      passed: count("passed"),
      failed: count("failed"),
      skipped: count("skipped"),
      failures: [...modules.flatMap(failuresOf), ...unhandled],
      secondTries: tests.filter((test) => test.diagnostic()?.flaky).map(firstTryOf),
      files: modules.map((module) => ({ file: module.relativeModuleId, seconds: secondsOf(module) })),
    };
    writeFileSync(this.#path, JSON.stringify(content));
  }
}

function failuresOf(module: TestModule): Failure[] {
  const file = module.relativeModuleId;
  const failures: Failure[] = [];
  const add = (name: string, errors: readonly SerializedError[] = []) => {
    if (errors.length > 0) failures.push({ file, name, errors: errors.map(textOf) });
  };
  add("the file", module.errors());
  for (const suite of module.children.allSuites()) add(suite.fullName, suite.errors());
  for (const test of module.children.allTests()) {
    const { state, errors } = test.result();
    if (state === "failed") add(test.fullName, errors);
    if (state === "pending") failures.push({ file, name: test.fullName, errors: ["did not come to an end"] });
  }
  if (module.state() === "queued" || module.state() === "pending")
    failures.push({ file, name: "the file", errors: ["did not come to an end"] });
  return failures;
}

function firstTryOf(test: TestCase): Failure {
  return { file: test.module.relativeModuleId, name: test.fullName, errors: (test.result().errors ?? []).map(textOf) };
}

/** The message, and the places of the project's own code that led there. */
function textOf({ name, message, stack = "", diff }: SerializedError): string {
  const places = stack.split("\n").filter((line) => /^\s+at /.test(line) && !line.includes("node_modules"));
  const lines = stripVTControlCharacters(typeof diff === "string" ? diff : "").split("\n");
  const differences = lines.filter((line) => /^[-+]/.test(line));
  const text = [`${name ?? "Error"}: ${message}`, ...differences, ...places].join("\n");
  // Some errors have all that a program put out, whatever it was.
  return stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\n]/gu, " ");
}

function secondsOf(module: TestModule): number {
  const { collectDuration, duration } = module.diagnostic();
  return (collectDuration + duration) / 1000;
}
