import { spawn } from "node:child_process";
import { once } from "node:events";
import { destination, type Login } from "../login.js";
import { trackChild } from "../resources.js";
import { openSharedConnection } from "../shared-connection.js";
import type { Throughput } from "./throughput.js";

const transferTimeout = 120_000;

/**
 * Transfers to several clients at once, each through a connection of its own that is open before they start.
 *
 * @param bytes to each of them
 * @param connectSeconds CPU seconds that one connect and exec costs this server
 */
export async function measureCrowd(
  login: Login,
  clients: number,
  bytes: number,
  connectSeconds: number,
): Promise<Throughput> {
  const { contender } = login;
  const before = await contender.cpu();
  const connections = await Promise.all(Array.from({ length: clients }, () => openSharedConnection(login)));
  const startedAt = performance.now();
  await Promise.all(
    connections.map(({ client }) => transfer([...client, "-T", destination], contender.outputCommand(bytes))),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const connection of connections) await connection.close();
  const after = await contender.cpu();
  const total = clients * bytes;
  const gibibytes = total / 1024 ** 3;
  return {
    cpuSecondsPerGiB: (after.server - before.server - clients * connectSeconds) / gibibytes,
    commandSecondsPerGiB: (after.commands - before.commands) / gibibytes,
    megabytesPerSecond: total / seconds / 1e6,
  };
}

/** @throws {Error} when the client fails */
async function transfer([program = "", ...parameters]: readonly string[], command: string): Promise<void> {
  const child = spawn(program, [...parameters, command], {
    stdio: "ignore",
    timeout: transferTimeout,
    killSignal: "SIGKILL",
  });
  trackChild(child);
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
}
