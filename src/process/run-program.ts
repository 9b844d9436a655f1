import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { portOf } from "../connection/channel.js";
import type { ProgramEnd } from "../session/program-end.js";
import type { ProgramCommand, ProgramOptions } from "../session/program-runner.js";
import type { SessionChannel } from "../session/session-channel.js";
import { ProcessGroup } from "./process-group.js";
import { programEnvironment } from "./program-environment.js";
import { type CheckedProgramOptions, checkCommand, checkProgramOptions } from "./program-options.js";
import { RunningProgram } from "./running-program.js";
import { type StartCommand, startCommand } from "./start-command.js";
import { started } from "./started.js";

/**
 * Runs a program on a session's channel: on a terminal where the client has asked for one and was allowed, else on pipes. It leads a
 * process group of its own, gets the signals and breaks of the client, and is told to end (SIGHUP) when the client goes, and two
 * seconds later killed. The client's agent and display are made available to it, where they were allowed. Neither an exit status is
 * sent nor the channel closed.
 *
 * @returns the end of the program, when all its output was handed on. Rejects with a ConfigurationError naming the option that cannot
 *   be used, with a ProgramStartError where there is no such program, and with the reason of the signal that has fired before the
 *   program was started
 */
export async function runProgram(
  channel: SessionChannel,
  command: ProgramCommand,
  options: ProgramOptions = {},
): Promise<ProgramEnd> {
  const checked = checkProgramOptions(options);
  const start = startCommand(checkCommand(command), checked.account);
  await forward(channel, checked);
  const signals = checked.signal === undefined ? [channel.signal] : [channel.signal, checked.signal];
  for (const signal of signals) signal.throwIfAborted();
  const child = await started(() => spawnOnPipes(channel, start, checked), checked.cwd);
  const group = new ProcessGroup(child);
  const program = new RunningProgram(channel, child, {
    input: child.stdin,
    output: child.stdout,
    errorOutput: child.stderr,
    breakIn: () => group.send("SIGINT"),
    signals,
  });
  if (child.pid !== undefined) checked.started?.(child.pid);
  return program.ended;
}

function spawnOnPipes(
  channel: SessionChannel,
  { file, args, argv0 }: StartCommand,
  { account, cwd, env, uid, gid }: CheckedProgramOptions,
): ChildProcess {
  return spawn(file, args, {
    cwd: cwd ?? (existsSync(account.home) ? account.home : "/"),
    env: programEnvironment(channel, { account, env, uid }),
    detached: true,
    stdio: "pipe",
    ...(argv0 !== undefined && { argv0 }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
}

/** Makes the agent and the display of a client available to its programs, by variables of the channel's environment. */
async function forward(channel: SessionChannel, { uid, gid }: CheckedProgramOptions): Promise<void> {
  const owner = { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
  const results = await Promise.allSettled([channel.agent?.listen(owner), channel.x11?.listen(owner)]);
  for (const result of results) {
    if (result.status === "fulfilled" || channel.signal.aborted) continue;
    portOf(channel).warn("a program runs without the client's agent or display", result.reason);
  }
}
