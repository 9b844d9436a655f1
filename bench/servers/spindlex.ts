import { createRequire } from "node:module";
import type * as CryptoModule from "../../src/crypto/index.js";
import type { PKey } from "../../src/crypto/index.js";
import type * as SpindlexModule from "../../src/index.js";
import type { Channel } from "../../src/index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { readSettings, reportTo, runCommand } from "./harness.js";

// What users get is measured: the built package, not the sources as tsx would transform them.
const built = (path: string) => new URL(`../../dist/${path}`, import.meta.url).href;
const { SSHServer, SSHServerManager }: typeof SpindlexModule = await import(built("index.js"));
const { PKey: PKeyClass }: typeof CryptoModule = await import(built("crypto/index.js"));

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

  override checkChannelRequest(kind: string) {
    return kind === "session" ? 0 : 3;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer) {
    runCommand(channel, command.toString("utf8"), () => {
      channel.sendExitStatus(0);
      channel.close();
    });
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new BenchServer(),
  serverKey: PKeyClass.fromString(settings.hostKey),
  bindAddress: "127.0.0.1",
  port: 0,
});
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
