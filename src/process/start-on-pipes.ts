import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { takeOverForDirectReads } from "../endpoint/direct-reads.js";
import type { SessionChannel } from "../session/session-channel.js";
import { ProcessGroup } from "./process-group.js";
import { environmentOf } from "./program-environment.js";
import { type ProgramStart, spawnOptions } from "./program-start.js";
import { RunningProgram } from "./running-program.js";
import { started } from "./started.js";
import { isolatedStdio } from "./terminal/open-terminals.js";

/** Starts a program on pipes. Rejects with a ProgramStartError. */
export async function startOnPipes(channel: SessionChannel, start: ProgramStart): Promise<RunningProgram> {
  const { file, args, argv0, cwd, signals } = start;
  const options = {
    ...spawnOptions(start),
    env: environmentOf(channel, start),
    stdio: isolatedStdio(),
    ...(argv0 !== undefined && { argv0 }),
  };
  const child = await started(() => spawn(file, args, options), cwd);
  const group = new ProcessGroup(child);
  const { stdin: input, stdout, stderr: errorOutput } = child;
  const output = stdout instanceof Socket ? takeOverForDirectReads(stdout) : stdout;
  return new RunningProgram(channel, child, {
    input,
    output,
    errorOutput,
    breakIn: () => group.send("SIGINT"),
    signals,
  });
}
