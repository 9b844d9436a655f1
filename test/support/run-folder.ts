import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** For what all test files of a run share: removed at its end. */
    readonly runFolder: string;
  }
}

/** Part of the global setup. */
export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "spindlex-run-"));
  project.provide("runFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}

/**
 * Makes a folder, unless it is there already. It appears complete or not at all: where two workers make it at the same
 * time, one of them is for nothing.
 *
 * @param make fills an empty folder
 */
export async function makeFolderOnce(folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  const made = await mkdtemp(`${folder}-`);
  try {
    await make(made);
    await rename(made, folder);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
