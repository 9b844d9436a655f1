import { runSession } from "../client.js";
import type { Login } from "../login.js";
import type { Contender } from "../servers/contender.js";

export type Direction = "output" | "input";

/** What is sent: in one direction, or as output by writes of 1 KiB. */
export type Transfer = Direction | "small output";

export interface Throughput {
  /** Of the server, without what connecting costs. */
  readonly cpuSecondsPerGiB: number;
  /** Of the program at the server's end of the channel. */
  readonly commandSecondsPerGiB: number;
  /** Megabytes (10⁶ bytes) in each second between authentication and the end of the session. */
  readonly megabytesPerSecond: number;
}

/**
 * One transfer.
 *
 * @param connectSeconds CPU seconds that one connect and exec costs this server
 */
export async function measureThroughput(
  login: Login,
  transfer: Transfer,
  bytes: number,
  connectSeconds: number,
): Promise<Throughput> {
  const { contender, workspace } = login;
  const before = await contender.cpu();
  const result =
    transfer === "input"
      ? await runSession({ ...login, command: contender.inputCommand(), inputFile: workspace.zerosFile })
      : await runSession({ ...login, command: outputCommand(contender, transfer, bytes) });
  const after = await contender.cpu();
  const server = after.server - before.server - connectSeconds;
  const arrived = transfer === "input" ? result.output.includes(String(bytes)) : result.bytesReceived >= bytes;
  if (!arrived) throw new Error(`not all of ${bytes} bytes of ${transfer} arrived`);
  const gibibytes = bytes / 1024 ** 3;
  return {
    cpuSecondsPerGiB: server / gibibytes,
    commandSecondsPerGiB: (after.commands - before.commands) / gibibytes,
    megabytesPerSecond: bytes / result.seconds / 1e6,
  };
}

function outputCommand(contender: Contender, transfer: "output" | "small output", bytes: number): string {
  return transfer === "output" ? contender.outputCommand(bytes) : contender.smallOutputCommand(bytes);
}
