import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descendants } from "./processes.js";

// Whatever way the bench ends, nothing of it is left: no process and no file.
const children = new Set<ChildProcess>();
const directories = new Set<string>();

export function trackChild(child: ChildProcess): void {
  children.add(child);
  child.once("exit", () => children.delete(child));
}

export function temporaryDirectory(parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, "spindlex-bench-"));
  directories.add(directory);
  return directory;
}

/** Asks a child to end and waits until it has, by force after 5 seconds. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const force = setTimeout(() => killTree(child), 5000);
  child.kill("SIGTERM");
  await ended;
  clearTimeout(force);
}

export function cleanUpOnExit(): void {
  process.on("exit", () => {
    for (const child of children) killTree(child);
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
}

function killTree(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const pids = descendants(child.pid);
  child.kill("SIGKILL");
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself in between.
    }
  }
}
