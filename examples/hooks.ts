/**
 * The hooks of the server guide: a class decides about each request of a client, and a manager runs it.
 *
 *   npx tsx examples/hooks.ts
 *   ssh -p 2222 admin@localhost hello    (password: secret)
 */
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type Channel,
  loadOrCreateHostKey,
  SFTPServer,
  SSHServer,
  SSHServerManager,
} from "spindlex";

class GuideServer extends SSHServer {
  override getAllowedAuths() {
    return ["password"];
  }

  override checkAuthPassword(username: string, password: string) {
    return username === "admin" && password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override onAuthenticationSuccessful(username: string) {
    console.log(`${username} logged in`);
  }

  override async checkChannelExecRequest(channel: Channel, command: Buffer) {
    channel.end(`Executed: ${command.toString("utf8")}\n`);
    channel.sendExitStatus(0);
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string) {
    if (name !== "sftp") return false;
    new SFTPServer(channel, { rootPath: "sftp_root" });
    return true;
  }
}

const { key } = await loadOrCreateHostKey("host_key");
const manager = new SSHServerManager({
  serverInterface: new GuideServer(),
  serverKey: key,
  bindAddress: "127.0.0.1",
  port: Number(process.env.PORT ?? 2222),
});
await manager.startServer();
process.once("SIGINT", () => manager.stopServer());
console.log(`Listening on 127.0.0.1:${manager.port}`);
