import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { portOf } from "../../connection/channel.js";
import type { PseudoTerminal, SessionChannel } from "../../session/session-channel.js";
import { environmentOf } from "../program-environment.js";
import { type ProgramStart, spawnOptions } from "../program-start.js";
import { RunningProgram } from "../running-program.js";
import { started } from "../started.js";
import { findProgram } from "./find-program.js";
import { isolatedStdio } from "./open-terminals.js";
import { Pty } from "./pseudo-terminal.js";
import { stty } from "./stty.js";
import { TerminalBreaks } from "./terminal-breaks.js";
import { terminalSettings } from "./terminal-settings.js";

const SHELL = "/bin/sh";

/** Opens the terminal that is named first. */
const OPEN = 'exec <>"$1" >&0 2>&0; shift';

/** Shells that can give a program another name than its file's, and keep bash from reading files of the user first. */
const NAMING_SHELLS = [
  ["/bin/bash", "--norc"],
  ["/usr/bin/bash", "--norc"],
  ["/usr/local/bin/bash", "--norc"],
  ["/bin/ash"],
] as const;

/**
 * Starts a program on a terminal, as the leader of its session. Rejects with a ProgramStartError, also where the package for terminals is
 * not installed.
 */
export async function startOnTerminal(
  channel: SessionChannel,
  terminal: PseudoTerminal,
  start: ProgramStart,
): Promise<RunningProgram> {
  const { cwd, uid, signals } = start;
  return Pty.start(terminal, uid, async (pty, programsEnd) => {
    const env = environmentOf(channel, { ...start, terminal: pty.path });
    const { file, args } = await openedBy(start, pty.path, env.PATH);
    await giveModes(channel, terminal, programsEnd);
    for (const { aborted, reason } of signals) if (aborted) throw reason;
    const stdio = isolatedStdio(programsEnd, programsEnd, programsEnd);
    const child = await started(() => spawn(file, args, { ...spawnOptions(start), env, stdio }), cwd);
    const breaks = new TerminalBreaks(pty, child);
    const resized = (size: PseudoTerminal) => pty.resize(size);
    channel.on("resize", resized);
    // The window may have changed since the program was asked for.
    if (channel.pty !== undefined) resized(channel.pty);
    const program = new RunningProgram(channel, child, {
      input: pty.input,
      output: pty.output,
      errorOutput: null,
      breakIn: () => breaks.send(),
      signals,
    });
    void program.ended.then(() => channel.off("resize", resized));
    return program;
  });
}

/** Gives a terminal the modes of its client, before anything is typed on it. */
async function giveModes(channel: SessionChannel, { modes }: PseudoTerminal, programsEnd: number): Promise<void> {
  const settings = terminalSettings(modes);
  if (settings.length === 0) return;
  try {
    await stty(programsEnd, settings);
  } catch (error) {
    portOf(channel).warn("a terminal has not got all modes of its client", { err: error });
  }
}

/**
 * The shell that opens the terminal, which makes it that of its session, and becomes the program. All three descriptors can be read and written: tmux writes to its input, and others read their errors.
 */
async function openedBy(
  { file, args, argv0, cwd }: ProgramStart,
  path: string,
  searchPath: string | undefined,
): Promise<{ readonly file: string; readonly args: readonly string[] }> {
  const found = await findProgram(file, cwd, searchPath);
  // It would be taken for an option.
  const program = file.startsWith("-") ? found : file;
  if (argv0 === undefined) return { file: SHELL, args: ["-c", `${OPEN}; exec "$@"`, SHELL, path, program, ...args] };
  const [shell, ...shellOptions] = NAMING_SHELLS.find(([name]) => existsSync(name)) ?? [];
  if (shell === undefined) return { file: SHELL, args: ["-c", `${OPEN}; exec "$@" -l`, SHELL, path, program, ...args] };
  return { file: shell, args: [...shellOptions, "-c", `${OPEN}; exec -a "$0" "$@"`, argv0, path, program, ...args] };
}
