import { once } from "node:events";
import { createRequire } from "node:module";
import { connect, type Socket } from "node:net";
import { PKey } from "../../src/crypto/index.js";
import {
  type AnyChannel,
  type Channel,
  type Connection,
  join,
  type OpenFields,
  SFTPServer,
  SSHServer,
  SSHServerManager,
} from "../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "../../src/protocol/constants.js";
import { readSettings, reportTo, runCommand } from "./harness.js";

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

  readonly #targets = new WeakMap<Connection, Socket>();

  override async checkChannelRequest(kind: string, _id: number, connection: Connection, open: OpenFields) {
    if (kind === "session") return OPEN_SUCCEEDED;
    if (!("host" in open)) return OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
    const target = connect({ host: open.host, port: open.port, allowHalfOpen: true, noDelay: true });
    await once(target, "connect");
    this.#targets.set(connection, target);
    return OPEN_SUCCEEDED;
  }

  override onChannelOpened(channel: AnyChannel) {
    const target = this.#targets.get(channel.connection);
    if (target !== undefined) void join(channel, target);
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer) {
    runCommand(channel, command.toString("utf8"), () => {
      channel.sendExitStatus(0);
      channel.close();
    });
    return true;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string) {
    if (name !== "sftp") return false;
    new SFTPServer(channel, { rootPath: settings.servedFolder });
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new BenchServer(),
  serverKey: PKey.fromString(settings.hostKey),
  bindAddress: "127.0.0.1",
  port: 0,
  // One address has all the clients.
  maxStartups: false,
  perSourceMaxStartups: false,
  maxSessions: 1000,
});
manager.setMaxConnections(10_000);
await manager.startServer();
reportTo(process, { port: manager.port, description: `this checkout, sodium-native ${sodium()}` });

function sodium(): string {
  try {
    createRequire(import.meta.url)("sodium-native");
    return "present";
  } catch {
    return "absent";
  }
}
