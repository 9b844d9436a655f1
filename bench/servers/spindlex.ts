import { packetPath } from "../../src/crypto/cipher/packet-path.js";
import { PKey } from "../../src/crypto/index.js";
import {
  type Channel,
  type Connection,
  runProgram,
  SFTPServer,
  SSHServer,
  SSHServerManager,
  serveWithWorkers,
  trustedUserCAs,
} from "../../src/index.js";
import { AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { isProgram, readSettings, reportTo, runCommand } from "./harness.js";

const settings = readSettings();
const checkCertificate = trustedUserCAs({ file: settings.authorityFile });

class BenchServer extends SSHServer {
  override getAllowedAuths() {
    return ["publickey"];
  }

  override checkAuthPublickey(username: string, key: PKey, connection: Connection, algorithm: string) {
    const { authorizedKeys } = settings;
    return username === settings.username && authorizedKeys.some(({ blob }) => key.publicBlob.equals(blob))
      ? AUTH_SUCCESSFUL
      : checkCertificate(username, key, connection, algorithm);
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

function createManager(): SSHServerManager {
  return new SSHServerManager({
    serverInterface: new BenchServer({ forwarding: { local: () => true } }),
    serverKey: PKey.fromString(settings.hostKey),
    bindAddress: "127.0.0.1",
    port: 0,
    logger: false,
    maxConnections: 10_000,
    // One address has all the clients.
    maxStartups: false,
    perSourceMaxStartups: false,
    maxSessions: 1000,
  });
}

const description = `this checkout, packets by ${packetPath().description}`;
const count = Number(process.argv[3] ?? 0);
if (count === 0) {
  const manager = createManager();
  await manager.startServer();
  reportTo(process, { port: manager.port, description });
} else {
  const start = async () => {
    await createManager().startServer();
  };
  const { port, workers } = await serveWithWorkers({ workers: count, start, logger: false });
  const pids = workers.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  reportTo(process, { port, description: `${description}, ${count} workers` }, pids);
}
