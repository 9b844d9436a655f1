/**
 * Serves a folder over SFTP and scp.
 *
 *   npx tsx examples/sftp-server.ts
 *   sftp -P 2222 admin@localhost    (password: secret)
 *
 * SFTP_ROOT names the folder; it is made if it is missing.
 */
import { type Channel, parseSCPCommand, SCPServer, SFTPServer, SSHServer, SSHServerManager } from "spindlex";
import { PKey } from "spindlex/crypto";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type AuthResult,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "spindlex/protocol/constants";

const files = { rootPath: process.env.SFTP_ROOT ?? "/tmp/sftp_root" };

class MySFTPServer extends SSHServer {
  override getAllowedAuths(): string[] {
    return ["password"];
  }

  override checkAuthPassword(username: string, password: string): AuthResult {
    return username === "admin" && password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkChannelRequest(kind: string): number {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    new SFTPServer(channel, files);
    return true;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const scp = parseSCPCommand(command);
    if (scp === undefined) return false;
    new SCPServer(channel, scp, files);
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new MySFTPServer(),
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: Number(process.env.PORT ?? 2222),
});
await manager.startServer();
process.once("SIGINT", () => manager.stopServer());
console.log(`Listening on 127.0.0.1:${manager.port}`);
