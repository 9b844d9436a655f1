import { CommandLineError } from "../base/command-line.js";
import { ConfigurationError } from "../base/configuration-error.js";
import {
  checkFunction,
  checkInteger,
  checkNotUndefined,
  checkObject,
  checkOptions,
  checkSignal,
  checkText,
} from "../base/option-checks.js";
import type { ProgramAccount, ProgramCommand, ProgramOptions } from "../session/program-runner.js";
import { accountOf } from "./program-account.js";
import { checkMayBecome } from "./program-user.js";

/** The largest number of a user or a group: 2^32 - 1 means none. */
const MAX_ID = 2 ** 32 - 2;

export interface CheckedProgramOptions extends ProgramOptions {
  readonly account: ProgramAccount;
}

/** @throws {ConfigurationError} naming the option that cannot be used */
export function checkProgramOptions(options: ProgramOptions): CheckedProgramOptions {
  const checked = checkOptions(options, ["cwd", "env", "uid", "gid", "account", "signal", "started"]);
  const { cwd, env, uid, gid, account, signal, started } = checkNotUndefined(checked, ["uid", "gid"]);
  if (cwd !== undefined) checkWord("cwd", cwd);
  if (env !== undefined) checkVariables(env);
  if (signal !== undefined) checkSignal("signal", signal);
  if (started !== undefined) checkFunction("started", started);
  if (uid !== undefined) checkInteger("uid", uid, 0, MAX_ID);
  if (gid !== undefined) checkInteger("gid", gid, 0, MAX_ID);
  if (uid !== undefined && gid === undefined) throw new ConfigurationError("gid", "is needed where there is a uid");
  if (gid !== undefined && uid === undefined) throw new ConfigurationError("uid", "is needed where there is a gid");
  if (uid !== undefined && gid !== undefined) checkMayBecome(uid, gid);
  return { ...checked, account: account === undefined ? accountOf(uid) : checkAccount(account) };
}

/**
 * @throws {ConfigurationError} naming the part that cannot be used
 * @throws {CommandLineError} for a command without a name, or with a NUL: a client may have sent it
 */
export function checkCommand(command: ProgramCommand): ProgramCommand {
  if (isWords(command)) {
    for (const word of command) checkSent("command", word);
    if (!command[0]) throw new CommandLineError("the command line has no command");
    return command;
  }
  const { shell, loginShell } = checkOptions<{ readonly shell?: string; readonly loginShell?: true }>(
    checkObject("command", command, ", or a list of words"),
    ["shell", "loginShell"],
    "command",
  );
  if (loginShell === true && shell === undefined) return { loginShell };
  if (loginShell !== undefined) throw new ConfigurationError("command.loginShell", "must be true, and without a shell");
  return { shell: checkSent("command.shell", shell ?? missing("command.shell")) };
}

function checkSent(option: string, text: string): string {
  if (checkText(option, text).includes("\0")) throw new CommandLineError("the command line holds a NUL");
  return text;
}

/** `Array.isArray` would not tell a list that cannot be changed from the rest. */
function isWords(command: ProgramCommand): command is readonly [string, ...string[]] {
  return Array.isArray(command);
}

function missing(option: string): never {
  throw new ConfigurationError(option, "must be a text");
}

/** @throws {ConfigurationError} naming the part that cannot be used */
export function checkAccount(account: ProgramAccount): ProgramAccount {
  const { name, home, shell } = checkOptions(account, ["name", "home", "shell"], "account");
  return {
    name: checkWord("account.name", name),
    home: checkWord("account.home", home),
    shell: checkWord("account.shell", shell),
  };
}

/** @throws {ConfigurationError} naming the variable that cannot be one */
export function checkVariables(variables: NonNullable<ProgramOptions["env"]>): void {
  for (const [name, value] of Object.entries(checkObject("env", variables))) {
    if (!/^[^=\0]+$/.test(name)) throw new ConfigurationError("env", "has a name that cannot be that of a variable");
    if (value !== undefined) checkWord(`env.${name}`, value);
  }
}

function checkWord(option: string, word: string): string {
  if (checkText(option, word).includes("\0")) throw new ConfigurationError(option, "must not hold a NUL");
  return word;
}
