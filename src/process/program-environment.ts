import { isUtf8 } from "node:buffer";
import { portOf } from "../connection/channel.js";
import type { ProgramAccount } from "../session/program-runner.js";
import type { SessionChannel } from "../session/session-channel.js";

const USER_PATH = "/usr/local/bin:/usr/bin:/bin";
const ROOT_PATH = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

export interface EnvironmentOptions {
  readonly account: ProgramAccount;
  readonly uid?: number | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Path of the program's terminal. */
  readonly terminal?: string | undefined;
}

/**
 * The environment of a program. Nothing of this process's own is in it: that may hold secrets. The later ones count: variables that
 * the client was allowed to send, those of the account, those of the user's permissions, those of the connection, `env`.
 */
export function programEnvironment(
  channel: SessionChannel,
  { account, uid, env = {}, terminal }: EnvironmentOptions,
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

/** Node.js starts programs with variables of text: a value that is not UTF-8 would reach them changed. */
function sessionVariables(channel: SessionChannel): Record<string, string> {
  const all = [...channel.environment];
  const texts = all.filter(([, value]) => isUtf8(value));
  if (texts.length < all.length) {
    portOf(channel).warn(`${all.length - texts.length} variables that are not UTF-8 were left out`);
  }
  return Object.fromEntries(texts.map(([name, value]) => [name, value.toString()]));
}

/** As sshd(8) has them; none where the stream of the connection does not tell its addresses. */
function connectionVariables({ connection }: SessionChannel): Record<string, string> {
  const { remoteAddress, remotePort, localAddress, localPort } = connection;
  if (remoteAddress === undefined || localAddress === undefined) return {};
  return {
    SSH_CLIENT: `${remoteAddress} ${remotePort} ${localPort}`,
    SSH_CONNECTION: `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`,
  };
}

function terminalType({ pty }: SessionChannel): { readonly TERM?: string } {
  return pty !== undefined && pty.term.length > 0 && isUtf8(pty.term) ? { TERM: pty.term.toString() } : {};
}
