import type { ChildProcess } from "node:child_process";
import { checkMethods, checkOptions, checkSignal } from "../base/option-checks.js";
import type { ProgramEnd } from "../session/program-end.js";
import type { SessionChannel } from "../session/session-channel.js";
import { ProcessGroup } from "./process-group.js";
import { reportProgramEnd } from "./program-end.js";
import { noteStartError, ProgramStartError } from "./program-start-error.js";
import { RunningProgram } from "./running-program.js";
import { started } from "./started.js";

/** Options of `runOn`. */
export interface RunOnOptions {
  /** Ends the program as if the client had gone. */
  readonly signal?: AbortSignal;
}

/**
 * Connects a program that was just spawned, on pipes, with a session's channel, as `runProgram` does; and tells the client how it
 * has ended, and closes the channel. Spawn it with `detached: true`: then signals reach what it has started, too.
 *
 * @returns the end of the program; the status is 127 or 126 where it could not be started, which the log tells. Rejects only with a
 *   ConfigurationError naming the option that cannot be used
 */
export async function runOn(
  channel: SessionChannel,
  child: ChildProcess,
  options: RunOnOptions = {},
): Promise<ProgramEnd> {
  const { signal } = checkOptions(options, ["signal"]);
  if (signal !== undefined) checkSignal("signal", signal);
  checkMethods("child", child, ["kill", "once"]);
  const end = await run(channel, child, signal === undefined ? [channel.signal] : [channel.signal, signal]);
  reportProgramEnd(channel, end);
  return end;
}

async function run(channel: SessionChannel, child: ChildProcess, signals: readonly AbortSignal[]): Promise<ProgramEnd> {
  const group = new ProcessGroup(child);
  try {
    if (!group.ended) await started(() => child);
  } catch (error) {
    noteStartError(channel, error);
    if (!(error instanceof ProgramStartError)) throw error;
    if (!channel.signal.aborted) channel.sendStderr(`${error.message}\n`);
    return { status: error.status };
  }
  const { stdin: input, stdout: output, stderr: errorOutput } = child;
  const breakIn = () => group.send("SIGINT");
  return new RunningProgram(channel, child, { input, output, errorOutput, breakIn, signals }).ended;
}
