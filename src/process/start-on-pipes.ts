import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { readDirectly } from "../endpoint/direct-reads.js";
import type { SessionChannel } from "../session/session-channel.js";
import { ProcessGroup } from "./process-group.js";
import { environmentOf } from "./program-environment.js";
import { type ProgramStart, spawnOptions } from "./program-start.js";
import type { ProgramPipes } from "./program-streams.js";
import { RunningProgram } from "./running-program.js";
import { started } from "./started.js";
import { SystemPipes } from "./system-pipes.js";
import { isolatedStdio } from "./terminal/open-terminals.js";

/** Starts a program on pipes. Rejects with a ProgramStartError. */
export async function startOnPipes(channel: SessionChannel, start: ProgramStart): Promise<RunningProgram> {
  const { file, args, argv0, cwd, signals } = start;
  const options = {
    ...spawnOptions(start),
    env: environmentOf(channel, start),
    ...(argv0 !== undefined && { argv0 }),
  };
  let pipes: SystemPipes | undefined;
  const spawnOnPipes = () => {
    pipes = SystemPipes.open();
    return spawn(file, args, { ...options, stdio: isolatedStdio(...(pipes?.ofProgram ?? [])) });
  };
  const child = await started(spawnOnPipes, cwd).catch((error) => {
    pipes?.close();
    throw error;
  });
  const group = new ProcessGroup(child);
  return new RunningProgram(channel, child, {
    ...(pipes?.connect() ?? socketsOf(child)),
    breakIn: () => group.send("SIGINT"),
    signals,
  });
}

/** What Node.js gives a program in the place of pipes. */
function socketsOf({ stdin, stdout, stderr }: ChildProcess): ProgramPipes {
  if (stdout instanceof Socket) readDirectly(stdout);
  return { input: stdin, output: stdout, errorOutput: stderr };
}
