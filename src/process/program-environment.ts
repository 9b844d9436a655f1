import { isUtf8 } from "node:buffer";
import { checkOptions } from "../base/option-checks.js";
import { portOf } from "../connection/channel.js";
import type { ProgramAccount } from "../session/program-runner.js";
import type { SessionChannel } from "../session/session-channel.js";
import { accountOf } from "./program-account.js";
import { checkAccount, checkVariables } from "./program-options.js";
import { ProgramStartError } from "./program-start-error.js";

const USER_PATH = "/usr/local/bin:/usr/bin:/bin";
const ROOT_PATH = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

/** A field of SSH_CONNECTION: an address of IPv4 or IPv6, or a port. */
const FIELD = /^[\w.:%-]+$/;

/** Options of `programEnvironment`. */
export interface EnvironmentOptions {
  /** Default: the account of this process. */
  readonly account?: ProgramAccount;
  /** Variables beside the others; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The environment that `runProgram` gives a program, for those who spawn one themselves. Nothing of this process's own is in it: that may
 * hold secrets. Where several set one variable, the later in this list counts: variables that the client was allowed to send,
 * those of the account, those of the user's permissions, those of the connection, `env`.
 *
 * @throws {ConfigurationError} naming the option that cannot be used
 * @throws {ProgramStartError} where another command is forced and the one that was asked for is not UTF-8
 */
export function programEnvironment(channel: SessionChannel, options: EnvironmentOptions = {}): Record<string, string> {
  const { account, env } = checkOptions(options, ["account", "env"]);
  if (env !== undefined) checkVariables(env);
  return environmentOf(channel, { account: account === undefined ? accountOf(undefined) : checkAccount(account), env });
}

interface ProgramIdentity {
  readonly account: ProgramAccount;
  readonly uid?: number | undefined;
  readonly env?: EnvironmentOptions["env"] | undefined;
  /** Path of the program's terminal. */
  readonly terminal?: string | undefined;
}

/** The environment of a program, by options that were checked. */
export function environmentOf(
  channel: SessionChannel,
  { account, uid, env = {}, terminal }: ProgramIdentity,
): Record<string, string> {
  const variables: Record<string, string | undefined> = {
    ...sessionVariables(channel),
    PATH: (uid ?? process.getuid?.()) === 0 ? ROOT_PATH : USER_PATH,
    HOME: account.home,
    USER: account.name,
    LOGNAME: account.name,
    SHELL: account.shell,
    ...channel.connection.permissions.environment,
    ...connectionVariables(channel),
    ...(terminal !== undefined && { SSH_TTY: terminal }),
    ...terminalType(channel),
    ...env,
  };
  const known = Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(known);
}

/**
 * Node.js starts programs with variables of text: a value that is not UTF-8 would reach them changed.
 *
 * @throws {ProgramStartError} where that is the command that was asked for: without it, a forced command would take it for a shell
 */
function sessionVariables(channel: SessionChannel): Record<string, string> {
  const { environment, originalCommand } = channel;
  if (originalCommand !== undefined && !isUtf8(originalCommand)) {
    throw new ProgramStartError(new Error("the command that was asked for is not UTF-8, and cannot be told"));
  }
  const all = [...environment];
  const texts = all.filter(([, value]) => isUtf8(value));
  if (texts.length < all.length) {
    portOf(channel).warn("variables that are not UTF-8 were left out", { variables: all.length - texts.length });
  }
  return Object.fromEntries(texts.map(([name, value]) => [name, value.toString()]));
}

/** As sshd(8) has them; none where the stream of the connection does not tell all of it, or what would be taken for several fields. */
function connectionVariables({ connection }: SessionChannel): Record<string, string> {
  const { remoteAddress, remotePort, localAddress, localPort } = connection;
  const fields = [remoteAddress, remotePort, localAddress, localPort];
  if (!fields.every((field) => field !== undefined && FIELD.test(`${field}`))) return {};
  return { SSH_CLIENT: `${remoteAddress} ${remotePort} ${localPort}`, SSH_CONNECTION: fields.join(" ") };
}

function terminalType({ pty }: SessionChannel): { readonly TERM?: string } {
  return pty !== undefined && pty.term.length > 0 && isUtf8(pty.term) ? { TERM: pty.term.toString() } : {};
}
