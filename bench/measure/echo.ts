import type { EchoCase } from "../cases.js";
import { type EchoTimes, runEchoes } from "../echo-client.js";
import { startEndlessTransfer } from "../endless-transfer.js";
import { destination, type Login, loginArguments } from "../login.js";
import { openSharedConnection } from "../shared-connection.js";

export interface EchoResult extends EchoTimes {
  /** Of the transfer beside it, if there was one. */
  readonly megabytesPerSecond: number | undefined;
}

/**
 * How long a byte takes to the server's end of a channel and back, as a key that is pressed.
 *
 * @param programsFolder where the compiled programs are
 */
export async function measureEcho(
  login: Login,
  { on, beside }: EchoCase,
  echoes: number,
  programsFolder: string,
): Promise<EchoResult> {
  const { contender, openssh, workspace } = login;
  // A client that hides the rhythm of keys (OpenSSH 9.5) would have its own rhythm measured.
  const plainKeys = ["-o", "IgnoreUnknown=ObscureKeystrokeTiming", "-o", "ObscureKeystrokeTiming=no"];
  const direct = [openssh.client, ...plainKeys, ...loginArguments(login)];
  const shared = beside === "another channel" ? await openSharedConnection(login) : undefined;
  const client = shared?.client ?? direct;
  const endless = [...client, "-T", destination, contender.outputCommand(Number.MAX_SAFE_INTEGER)];
  const echo =
    on === "terminal"
      ? [...client, "-tt", destination, contender.terminalEchoCommand()]
      : [...client, "-T", destination, contender.echoCommand()];
  try {
    const transfer = beside === "nothing" ? undefined : await startEndlessTransfer(endless, shared?.pid);
    const times = await runEchoes(echo, echoes, workspace.directory, programsFolder);
    return { ...times, megabytesPerSecond: await transfer?.stop() };
  } finally {
    await shared?.close();
  }
}
