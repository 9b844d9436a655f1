import type { SpawnOptions } from "node:child_process";
import type { CheckedProgramOptions } from "./program-options.js";
import type { StartCommand } from "./start-command.js";

/** All that is known of a program before it is started. */
export interface ProgramStart extends CheckedProgramOptions, StartCommand {
  readonly cwd: string;
  /** Each of them ends the program when it fires. */
  readonly signals: readonly AbortSignal[];
}

/** The options of Node.js for a program that leads a process group of its own. */
export function spawnOptions({ cwd, uid, gid }: ProgramStart): SpawnOptions {
  return { cwd, detached: true, ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
}
