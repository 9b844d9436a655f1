import { existsSync } from "node:fs";
import { type GivenOptions, givenOptions } from "../base/given-options.js";
import { portOf } from "../connection/channel.js";
import type { ProgramEnd } from "../session/program-end.js";
import type { ProgramCommand, ProgramOptions } from "../session/program-runner.js";
import type { SessionChannel } from "../session/session-channel.js";
import { type CheckedProgramOptions, checkCommand, checkProgramOptions } from "./program-options.js";
import type { ProgramStart } from "./program-start.js";
import { noteStartError } from "./program-start-error.js";
import { startCommand } from "./start-command.js";
import { startOnPipes } from "./start-on-pipes.js";
import { startOnTerminal } from "./terminal/start-on-terminal.js";

/**
 * Runs a program on a session's channel: on a terminal where the client has asked for one and was allowed, else on pipes. It leads a
 * process group of its own, gets the signals and breaks of the client, and is told to end (SIGHUP) when the client goes, and two
 * seconds later killed. The client's agent and display are made available to it, where they were allowed. Neither an exit status is
 * sent nor the channel closed.
 *
 * @returns the end of the program, when all its output was handed on. Rejects with a ConfigurationError naming the option that cannot
 *   be used, with a CommandLineError where the command has no name or a NUL, with a ProgramStartError where there is no such program, or the package for terminals is not installed, and with the reason of the signal that has fired before the program was started
 */
export async function runProgram(
  channel: SessionChannel,
  command: ProgramCommand,
  ...options: GivenOptions<ProgramOptions>
): Promise<ProgramEnd> {
  const checked = checkProgramOptions(givenOptions(options));
  const { account, cwd, signal, started } = checked;
  const known = startCommand(checkCommand(command), account);
  await forward(channel, checked);
  const start: ProgramStart = {
    ...checked,
    ...known,
    cwd: cwd ?? (existsSync(account.home) ? account.home : "/"),
    signals: signal === undefined ? [channel.signal] : [channel.signal, signal],
  };
  for (const { aborted, reason } of start.signals) if (aborted) throw reason;
  const { pty } = channel;
  const starting = pty === undefined ? startOnPipes(channel, start) : startOnTerminal(channel, pty, start);
  const program = await starting.catch((error: unknown) => {
    noteStartError(channel, error);
    throw error;
  });
  try {
    if (program.pid !== undefined) started?.(program.pid);
  } catch (error) {
    program.hangUp();
    await program.ended;
    throw error;
  }
  return program.ended;
}

/** Makes the agent and the display of a client available to its programs, by variables of the channel's environment. */
async function forward(channel: SessionChannel, { uid, gid }: CheckedProgramOptions): Promise<void> {
  const owner = { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
  const results = await Promise.allSettled([channel.agent?.listen(owner), channel.x11?.listen(owner)]);
  for (const result of results) {
    if (result.status === "fulfilled" || channel.signal.aborted) continue;
    portOf(channel).warn("a program runs without the client's agent or display", { err: result.reason });
  }
}
