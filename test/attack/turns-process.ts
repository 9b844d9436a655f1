import { PKey } from "../../src/crypto/index.js";
import { type Channel, SSHServer, SSHServerManager } from "../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED } from "../../src/protocol/constants.js";
import { TurnMeter } from "../support/longest-turn.js";
import { withoutAdmission } from "../support/without-admission.js";

// A server in a process of its own. It tells its port, and answers each message with the longest turn of its event loop since the
// one before, in milliseconds. Its only command puts out a mebibyte that is dear to compress.

const OUTPUT = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, index) => 97 + (((index * index) >> 7) & 1)));

class Server extends SSHServer {
  override checkAuthPassword(_username: string, password: string) {
    return password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override getAllowedAuths(): string[] {
    return ["password", "publickey"];
  }

  override checkChannelRequest() {
    return OPEN_SUCCEEDED;
  }

  override checkChannelExecRequest(channel: Channel): boolean {
    channel.send(OUTPUT);
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new Server(),
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: 0,
  logger: false,
  maxAuthTries: 100,
  authFailureDelay: 0,
  ...withoutAdmission,
});
await manager.startServer();
process.send?.(manager.port);

let meter = new TurnMeter();
process.on("message", () => {
  process.send?.(meter.stop());
  meter = new TurnMeter();
});
process.on("disconnect", () => process.exit());
