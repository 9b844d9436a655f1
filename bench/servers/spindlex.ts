import { packetPath } from "../../src/crypto/cipher/packet-path.js";
import { PKey } from "../../src/crypto/index.js";
import { type Channel, runProgram, SFTPServer, SSHServer, SSHServerManager } from "../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { isProgram, readSettings, reportTo, runCommand } from "./harness.js";

const settings = readSettings();

class BenchServer extends SSHServer {
  override getAllowedAuths() {
    return ["publickey"];
  }

  override checkAuthPublickey(username: string, key: PKey) {
    return username === settings.username && key.publicBlob.equals(settings.authorizedBlob)
      ? AUTH_SUCCESSFUL
      : AUTH_FAILED;
  }

  override checkChannelPtyRequest() {
    return true;
  }

  override async checkChannelExecRequest(channel: Channel, command: Buffer) {
    const text = command.toString("utf8");
    if (isProgram(text)) {
      const end = await runProgram(channel, { shell: text });
      channel.sendExitStatus("status" in end ? end.status : 1);
      channel.close();
    } else {
      runCommand(channel, text, () => {
        channel.sendExitStatus(0);
        channel.close();
      });
    }
    return true;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string) {
    if (name !== "sftp") return false;
    new SFTPServer(channel, { rootPath: settings.servedFolder });
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new BenchServer({ forwarding: { local: () => true } }),
  serverKey: PKey.fromString(settings.hostKey),
  bindAddress: "127.0.0.1",
  port: 0,
  logger: false,
  // One address has all the clients.
  maxStartups: false,
  perSourceMaxStartups: false,
  maxSessions: 1000,
});
manager.setMaxConnections(10_000);
await manager.startServer();
reportTo(process, { port: manager.port, description: `this checkout, packets by ${packetPath().description}` });
