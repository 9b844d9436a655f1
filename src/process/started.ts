import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { ProgramStartError } from "./program-start-error.js";

/**
 * Starts a program.
 *
 * @param cwd the directory that it starts in: Node.js tells of one that is not there as of a program
 * @returns the child, which runs. Rejects with a ProgramStartError
 */
export async function started(spawn: () => ChildProcess, cwd?: string): Promise<ChildProcess> {
  let error: unknown;
  try {
    const child = spawn();
    if (child.pid !== undefined) return child;
    error = await new Promise((resolve) => child.once("error", resolve));
  } catch (thrown) {
    error = thrown;
  }
  if (cwd !== undefined && !existsSync(cwd)) error = new Error(`there is no directory ${cwd}`, { cause: error });
  throw new ProgramStartError(error);
}
