import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";

const ROOT = resolve(import.meta.dirname, "../..");
/** Inside node_modules, so that the programs find their packages. */
const BUILT = join(ROOT, "node_modules/.cache/spindlex-test");

/**
 * The compiled program, or module, of a source file: what tests start in a process of its own.
 *
 * @param source a file of `src/`, `examples/`, or `test/` with a name in `-process.ts`, from the root of the checkout
 */
export function builtFile(source: string): string {
  return join(BUILT, source.replace(/\.ts$/, ".js"));
}

/** Compiles what has changed before the tests of a run start, or start again. */
export function setup(project: TestProject): void {
  build();
  project.onTestsRerun(build);
}

function build(): void {
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const project = join(import.meta.dirname, "tsconfig.build.json");
  execFileSync(process.execPath, [compiler, "-p", project], { stdio: "inherit" });
  // The examples import the package by its name, as its users do.
  const manifest = readFileSync(join(ROOT, "package.json"), "utf8").replaceAll("./dist/", "./src/");
  const copy = join(BUILT, "package.json");
  if (!existsSync(copy) || readFileSync(copy, "utf8") !== manifest) writeFileSync(copy, manifest);
}
