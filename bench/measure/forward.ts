import { runForward } from "../client.js";
import type { ForwardTarget } from "../forward-target-process.js";
import type { Login } from "../login.js";
import type { Direction, Throughput } from "./throughput.js";

/**
 * One transfer in one direction, to or from a target that the server connects to.
 *
 * @param connectSeconds CPU seconds that one connect and exec costs this server
 */
export async function measureForward(
  login: Login,
  direction: Direction,
  target: ForwardTarget,
  bytes: number,
  connectSeconds: number,
): Promise<Throughput> {
  const { contender, workspace } = login;
  const before = await contender.cpu();
  const result = await runForward(login, target[direction], direction === "output" ? undefined : workspace.zerosFile);
  const after = await contender.cpu();
  const arrived = direction === "output" ? result.bytesReceived === bytes : result.lastOutput === `${bytes}\n`;
  if (!arrived) throw new Error(`not all of ${bytes} bytes of forwarded ${direction} arrived`);
  return {
    cpuSecondsPerGiB: (after.server - before.server - connectSeconds) / (bytes / 1024 ** 3),
    commandSecondsPerGiB: 0,
    megabytesPerSecond: bytes / result.seconds / 1e6,
  };
}
