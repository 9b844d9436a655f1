/**
 * A small program on the client's terminal: keys change a number, and it follows the size of the window.
 *
 *   npx tsx examples/terminal-app.ts
 *   ssh -p 2222 admin@localhost          (password: secret)
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

const CLEAR_SCREEN = "\u001b[2J\u001b[H";
const CONTROL_C = "\u0003";

/** The terminal is in raw mode: every key comes at once, nothing is echoed, and lines end with \r\n. */
class Counter {
  readonly #channel: Channel;
  #count = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.setEncoding("utf8");
    channel.on("data", (keys: string) => this.#press(keys));
    channel.on("end", () => this.#quit());
    channel.on("resize", () => this.#draw());
    this.#draw();
  }

  #press(keys: string): void {
    for (const key of keys) {
      if (key === "+") this.#count++;
      else if (key === "-") this.#count--;
      else if (key === "q" || key === CONTROL_C) {
        this.#quit();
        return;
      }
    }
    this.#draw();
  }

  #draw(): void {
    const { pty, connection } = this.#channel;
    const lines = [
      `Hello ${connection.username}, your terminal is ${pty?.width} by ${pty?.height}.`,
      `Count: ${this.#count}`,
      "Press + or -, or q to leave.",
    ];
    this.#channel.send(`${CLEAR_SCREEN}${lines.join("\r\n")}\r\n`);
  }

  #quit(): void {
    if (this.#channel.signal.aborted) return;
    this.#channel.removeAllListeners("data").resume();
    this.#channel.send("Bye.\r\n");
    this.#channel.sendExitStatus(0);
    this.#channel.close();
  }
}

class TerminalServer extends SSHServer {
  override getAllowedAuths(): string[] {
    return ["password"];
  }

  override checkAuthPassword(username: string, password: string): AuthResult {
    return username === "admin" && password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkChannelRequest(kind: string): number {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  override checkChannelPtyRequest(): boolean {
    return true;
  }

  override checkChannelShellRequest(channel: Channel): boolean {
    if (channel.pty === undefined) {
      channel.sendStderr("This program needs a terminal: ssh -t\n");
      channel.sendExitStatus(1);
      channel.close();
    } else {
      new Counter(channel);
    }
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new TerminalServer(),
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: Number(process.env.PORT ?? 2222),
});
await manager.startServer();
process.once("SIGINT", () => manager.stopServer());
console.log(`Listening on 127.0.0.1:${manager.port}`);
