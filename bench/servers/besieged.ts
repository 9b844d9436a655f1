import { monitorEventLoopDelay } from "node:perf_hooks";
import { PKey } from "../../src/crypto/index.js";
import { type Channel, SSHServer, SSHServerManager } from "../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";

// A server on the open internet, for bench/siege.ts: the defaults, with deadlines and numbers for a flood. It tells its
// port, and answers each message with what it holds.

class BesiegedServer extends SSHServer {
  override checkAuthPassword(username: string, password: string) {
    return username === "user" && password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer) {
    channel.send(command);
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new BesiegedServer(),
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: 0,
  logger: false,
  maxStartups: { start: 2000, rate: 30, full: 4000 },
  perSourcePenaltyExemptList: [],
});
manager.setMaxConnections(5000);
manager.setConnectionTimeout(5);
manager.setAuthTimeout(20);
await manager.startServer();
const delay = monitorEventLoopDelay();
delay.enable();
process.send?.({ port: manager.port });

process.on("message", () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({
    bytesInUse: heapUsed + external,
    longestTurn: delay.max / 1e6,
    processorSeconds: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
    stats: manager.getConnectionStats(),
    timers: process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length,
    sockets: process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length,
  });
});
process.on("disconnect", () => process.exit());
