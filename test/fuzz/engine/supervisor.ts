import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findingsFolder, presentInputFile, storeInput } from "./corpus.js";
import type { Report, Task } from "./worker.js";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
const NODE_OPTIONS = ["--import", "tsx", "--expose-gc", "--max-old-space-size=1024"];

/** Milliseconds without a sign of life after which a process hangs in the input it runs. */
const SILENCE = 30_000;

export interface Finding {
  readonly kind: string;
  readonly path: string;
  readonly text: string;
}

export interface Summary {
  readonly name: string;
  readonly last: Extract<Report, { kind: "progress" | "done" }> | undefined;
  /** Branches covered by the inputs that were there before. */
  readonly firstCovered: number;
  readonly findings: readonly Finding[];
}

/** Fuzzes one harness in a process of its own, so that neither an endless loop nor the death of it goes unnoticed. */
export function supervise(task: Task, found: (finding: Finding) => void, signal: AbortSignal): Promise<Summary> {
  const child = fork(WORKER, [JSON.stringify(task)], { execArgv: NODE_OPTIONS, signal });
  const findings: Finding[] = [];
  let last: Summary["last"];
  let firstCovered: number | undefined;
  const add = (finding: Finding) => {
    findings.push(finding);
    found(finding);
  };
  const watchdog = setTimeout(() => {
    add(keepPresentInput(task.name, "hang", `nothing heard for ${SILENCE / 1000} s`));
    child.kill("SIGKILL");
  }, SILENCE);
  child.on("message", (report: Report) => {
    watchdog.refresh();
    if (report.kind === "finding") {
      add({ kind: report.failure.kind, path: report.path, text: report.failure.text });
      return;
    }
    last = report;
    firstCovered ??= report.covered;
  });
  return new Promise((resolve) => {
    const ended = (reason: string) => {
      clearTimeout(watchdog);
      const isOver = last?.kind === "done" || signal.aborted || findings.at(-1)?.kind === "hang";
      if (!isOver) add(keepPresentInput(task.name, "death", `the process has ended: ${reason}`));
      resolve({ name: task.name, last, firstCovered: firstCovered ?? 0, findings });
    };
    watchEnd(child, ended);
  });
}

function watchEnd(child: ChildProcess, ended: (reason: string) => void): void {
  child.once("exit", (code, killedBy) => ended(killedBy ?? `exit code ${code}`));
  child.once("error", (error) => ended(error.message));
}

function keepPresentInput(name: string, kind: string, text: string): Finding {
  const path = storeInput(findingsFolder(name), readFileSync(presentInputFile(name)), `${kind}-`);
  return { kind, path, text };
}
