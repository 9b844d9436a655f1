/**
 * Lets in whoever holds the private half of a public key, and greets them by the name of the key.
 *
 *   AUTHORIZED_KEYS=~/.ssh/id_ed25519.pub npx tsx examples/public-key-server.ts
 *   ssh -p 2222 anybody@localhost whoami
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Channel, SSHServer, SSHServerManager } from "spindlex";
import { PKey } from "spindlex/crypto";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type AuthResult,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "spindlex/protocol/constants";

/** Fingerprints of the keys in a file with one public key a line. */
function readFingerprints(path: string): Set<string> {
  const lines = readFileSync(path, "utf8").split("\n");
  const keys = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return new Set(keys.map((line) => PKey.fromString(line).fingerprint()));
}

class PublicKeyServer extends SSHServer {
  readonly #known: ReadonlySet<string>;

  constructor(known: ReadonlySet<string>) {
    super();
    this.#known = known;
  }

  override getAllowedAuths(): string[] {
    return ["publickey"];
  }

  // Asked for a key that is only offered, and again for the signature, which the library has verified by then.
  override checkAuthPublickey(_username: string, key: PKey): AuthResult {
    return this.#known.has(key.fingerprint()) ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkChannelRequest(kind: string): number {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    if (command.toString("utf8") !== "whoami") return false;
    channel.send(`You are ${channel.connection.username}.\n`);
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

const known = readFingerprints(process.env.AUTHORIZED_KEYS ?? join(homedir(), ".ssh", "id_ed25519.pub"));
const manager = new SSHServerManager({
  serverInterface: new PublicKeyServer(known),
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: Number(process.env.PORT ?? 2222),
});
await manager.startServer();
process.once("SIGINT", () => manager.stopServer());
console.log(`Listening on 127.0.0.1:${manager.port}`);
