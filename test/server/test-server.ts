import { onTestFinished } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import {
  type AuthDecision,
  type Channel,
  SSHServer,
  SSHServerManager,
  type SSHServerManagerOptions,
} from "../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { PacketClient } from "../support/packet-client.js";

export const USERNAME = "admin";
export const PASSWORD = "secret";
const serverKey = PKey.generate({ keyType: "ed25519" });

/** The guide's server: one user, and a program that says what was asked and ends; `cat` gives back what it reads. */
export class TestServer extends SSHServer {
  override checkAuthPassword(username: string, password: string): AuthDecision | Promise<AuthDecision> {
    return username === USERNAME && password === PASSWORD ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    if (command.toString() === "cat") {
      channel.pipe(channel);
      channel.once("end", () => {
        channel.sendExitStatus(0);
        channel.close();
      });
    } else {
      channel.send(`Executed: ${command}\n`);
      channel.sendExitStatus(0);
      channel.close();
    }
    return true;
  }
}

/** A manager on a free loopback port, not started yet; stopped when the test is over. */
export function createManager(options: Partial<SSHServerManagerOptions> = {}): SSHServerManager {
  const manager = new SSHServerManager({
    serverInterface: new TestServer(),
    ...(options.serverKeys === undefined && { serverKey }),
    bindAddress: "127.0.0.1",
    port: 0,
    logger: false,
    authFailureDelay: 0,
    ...options,
  });
  onTestFinished(() => manager.stopServer({ gracePeriod: 0 }));
  return manager;
}

export async function startManager(options: Partial<SSHServerManagerOptions> = {}): Promise<SSHServerManager> {
  const manager = createManager(options);
  await manager.startServer();
  return manager;
}

export const login = (manager: SSHServerManager): Promise<PacketClient> =>
  PacketClient.login(manager.port, USERNAME, PASSWORD);
