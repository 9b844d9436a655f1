import { type Login, runSession } from "../client.js";

export type Direction = "output" | "input";

export interface Throughput {
  /** Of the server, without what connecting costs. */
  readonly cpuSecondsPerGiB: number;
  /** Of the program at the server's end of the channel. */
  readonly commandSecondsPerGiB: number;
  /** Megabytes (10⁶ bytes) in each second between authentication and the end of the session. */
  readonly megabytesPerSecond: number;
}

/**
 * One transfer in one direction.
 *
 * @param connectSeconds CPU seconds that one connect and exec costs this server
 */
export async function measureThroughput(
  login: Login,
  direction: Direction,
  bytes: number,
  connectSeconds: number,
): Promise<Throughput> {
  const { contender, workspace } = login;
  const before = await contender.cpu();
  const result =
    direction === "output"
      ? await runSession({ ...login, command: contender.outputCommand(bytes) })
      : await runSession({ ...login, command: contender.inputCommand(), inputFile: workspace.zerosFile });
  const after = await contender.cpu();
  const server = after.server - before.server - connectSeconds;
  const arrived = direction === "output" ? result.bytesReceived >= bytes : result.output.includes(String(bytes));
  if (!arrived) throw new Error(`not all of ${bytes} bytes of ${direction} arrived`);
  const gibibytes = bytes / 1024 ** 3;
  return {
    cpuSecondsPerGiB: server / gibibytes,
    commandSecondsPerGiB: (after.commands - before.commands) / gibibytes,
    megabytesPerSecond: bytes / result.seconds / 1e6,
  };
}
