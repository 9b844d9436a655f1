/**
 * Answers every command with its own text.
 *
 *   npx tsx examples/exec-server.ts
 *   ssh -p 2222 admin@localhost hello    (password: secret)
 */
import { type Channel, SSHServer, SSHServerManager } from "spindlex";
import { PKey } from "spindlex/crypto";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type AuthResult,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "spindlex/protocol/constants";

class ExecServer extends SSHServer {
  override getAllowedAuths(): string[] {
    return ["password"];
  }

  override checkAuthPassword(username: string, password: string): AuthResult {
    return username === "admin" && password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkChannelRequest(kind: string): number {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    channel.send(`Executed: ${command.toString("utf8")}\n`);
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new ExecServer(),
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: Number(process.env.PORT ?? 2222),
});
await manager.startServer();
process.once("SIGINT", () => manager.stopServer());
console.log(`Listening on 127.0.0.1:${manager.port}`);
