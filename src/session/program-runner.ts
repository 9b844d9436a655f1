import type { ProgramEnd } from "./program-end.js";
import type { SessionChannel } from "./session-channel.js";

/** The account that a program belongs to. */
export interface ProgramAccount {
  /** The login name, for USER and LOGNAME. */
  readonly name: string;
  /** Path of the home directory, for HOME. */
  readonly home: string;
  /** Path of the login shell. */
  readonly shell: string;
}

/** A program with its arguments, a command line for the account's shell, or that shell as a login shell. */
export type ProgramCommand =
  | readonly [file: string, ...args: string[]]
  | { readonly shell: string }
  | { readonly loginShell: true };

/** Options of `Session.run` and `runProgram`. */
export interface ProgramOptions {
  /** The directory that the program starts in. Default: the account's home, or `/` where that is not there. */
  readonly cwd?: string;
  /** Variables of the program beside those that it gets in any case; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Number of the user that the program runs as; needs the rights of root, and `gid`. Default: the user of this process. */
  readonly uid?: number;
  /** Number of the group, likewise. There are no others: supplementary groups of this process are given up. */
  readonly gid?: number;
  /** Default: the account of `uid`, or of this process. */
  readonly account?: ProgramAccount;
  /** Ends the program as if the client had gone. */
  readonly signal?: AbortSignal;
  /** Is told the id of the program, which is that of its process group as well, once it runs. */
  readonly started?: (pid: number) => void;
}

/** Runs a program on a channel: resolves when it has ended and all its output was handed on. */
export type ProgramRunner = (
  channel: SessionChannel,
  command: ProgramCommand,
  options: ProgramOptions,
) => Promise<ProgramEnd>;
