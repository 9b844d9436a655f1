import { basename } from "node:path";
import type { ProgramAccount, ProgramCommand } from "../session/program-runner.js";

/** A command as a process is started with it. */
export interface StartCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** The name that the program sees as its own, where that is not the file. */
  readonly argv0?: string;
}

/** A shell runs only where one was asked for; its name begins with a dash where it is a login shell (login(1)). */
export function startCommand(command: ProgramCommand, { shell }: ProgramAccount): StartCommand {
  if ("shell" in command) return { file: shell, args: ["-c", command.shell] };
  if ("loginShell" in command) return { file: shell, args: [], argv0: `-${basename(shell)}` };
  const [file, ...args] = command;
  return { file, args };
}
