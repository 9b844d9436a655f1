import { createCipheriv, createHash } from "node:crypto";
import { once } from "node:events";
import type { PKey } from "../../src/crypto/index.js";
import { type Channel, type Connection, type Prompt, SSHServer } from "../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_PARTIAL,
  AUTH_SUCCESSFUL,
  type AuthResult,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "../../src/protocol/constants.js";

/** The users who can log in to the test server, and how. Every user may also use the keys in `authorizedKeys`. */
export const USERS = {
  admin: { password: "secret", methods: ["publickey", "password"] },
  /** Asks twice: a password, then two more questions. */
  interactive: { password: "secret", methods: ["keyboard-interactive"], token: "123456", colour: "blue" },
  /** Needs an authorized key and then the password. */
  both: { password: "secret", methods: ["publickey", "password"] },
  /** The password is right but has to be replaced by a new one. */
  expired: { password: "old-secret", newPassword: "new-secret", methods: ["password"] },
} as const;

export const BANNER = "Authorised people only.\n";

/** The bytes that the command `bytes N` puts out: they look random and are the same each time. */
export function testBytes(count: number): Buffer {
  return createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(count));
}

export function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** A server as the guide has it, whose `exec` hook is a handful of commands that show what a session can do. */
export class GuideServer extends SSHServer {
  /** Fingerprints as `ssh-keygen -l` prints them. */
  readonly authorizedKeys = new Set<string>();
  /** The connection that was the last to log in. */
  lastLogin: Connection | undefined;

  override checkAuthPassword(
    username: string,
    password: string,
    connection: Connection,
  ): ReturnType<SSHServer["checkAuthPassword"]> {
    if (username === "expired") {
      const expired = USERS.expired;
      return password === expired.password ? { passwordChangeRequired: "Time for a new password." } : AUTH_FAILED;
    }
    if (username === "both" && !connection.provenMethods.includes("publickey")) return AUTH_FAILED;
    if (username !== "admin" && username !== "both") return AUTH_FAILED;
    return password === USERS[username].password ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkAuthPasswordChange(username: string, oldPassword: string, newPassword: string): AuthResult {
    const { password, newPassword: wanted } = USERS.expired;
    return username === "expired" && oldPassword === password && newPassword === wanted ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkAuthPublickey(
    username: string,
    key: PKey,
    ..._others: unknown[]
  ): ReturnType<SSHServer["checkAuthPublickey"]> {
    if (!this.authorizedKeys.has(key.fingerprint())) return AUTH_FAILED;
    if (username === "both") return AUTH_PARTIAL;
    return username === "admin" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override async checkAuthKeyboardInteractive(
    username: string,
    _submethods: string,
    prompt: Prompt,
  ): Promise<AuthResult> {
    const { password, token, colour } = USERS.interactive;
    const first = await prompt({ name: "Step one", prompts: [{ prompt: "Password: ", echo: false }] });
    const second = await prompt({
      name: "Step two",
      instruction: "Two more questions",
      prompts: [
        { prompt: "Token: ", echo: false },
        { prompt: "Favourite colour: ", echo: true },
      ],
    });
    const answers = [...first, ...second].join("\n");
    return username === "interactive" && answers === [password, token, colour].join("\n")
      ? AUTH_SUCCESSFUL
      : AUTH_FAILED;
  }

  override getAllowedAuths(username: string, connection: Connection): string[] {
    if (username === "both") return connection.provenMethods.includes("publickey") ? ["password"] : ["publickey"];
    return Object.hasOwn(USERS, username)
      ? [...USERS[username as keyof typeof USERS].methods]
      : ["publickey", "password"];
  }

  override onAuthenticationSuccessful(_username: string, _method: string, connection: Connection): void {
    this.lastLogin = connection;
  }

  override getBanner(): string {
    return BANNER;
  }

  override checkChannelRequest(kind: string): number {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  override checkChannelEnvRequest(_channel: Channel, name: string): boolean {
    return name.startsWith("TEST_");
  }

  override checkChannelPtyRequest(): boolean {
    return true;
  }

  override checkChannelWindowChangeRequest(): boolean {
    return true;
  }

  override checkChannelShellRequest(channel: Channel): boolean {
    void runShell(channel).catch(() => channel.close());
    return true;
  }

  override checkChannelExecRequest(
    channel: Channel,
    command: Buffer,
  ): ReturnType<SSHServer["checkChannelExecRequest"]> {
    void runCommand(channel, command.toString("utf8")).catch(() => channel.close());
    return true;
  }
}

async function runCommand(channel: Channel, line: string): Promise<void> {
  const [name = "", argument = ""] = line.split(" ");
  const command = COMMANDS[name] ?? hello;
  const status = await command(channel, argument, line);
  if (status === undefined) return;
  channel.sendExitStatus(status);
  channel.close();
}

/** Runs on the channel and gives the exit status, or nothing when it has ended the channel itself. */
type Command = (channel: Channel, argument: string, line: string) => Promise<number | undefined>;

const hello: Command = async (channel, _argument, line) => {
  channel.send(`Executed: ${line}\n`);
  return 0;
};

const echo: Command = async (channel) => {
  for await (const chunk of channel) if (!channel.write(chunk)) await once(channel, "drain");
  return 0;
};

const COMMANDS: Readonly<Record<string, Command>> = {
  "echo-stdin": echo,
  /** Leaves it to the client to close the channel. */
  "echo-until-closed": async (channel, argument, line) => {
    const closed = once(channel, "close");
    await echo(channel, argument, line);
    channel.sendExitStatus(0);
    channel.end();
    await closed;
    return undefined;
  },
  "sha256-stdin": async (channel) => {
    const hash = createHash("sha256");
    for await (const chunk of channel) hash.update(chunk);
    channel.send(`${hash.digest("hex")}\n`);
    return 0;
  },
  bytes: async (channel, argument) => {
    channel.send(testBytes(Number(argument)));
    return 0;
  },
  exit: async (_channel, argument) => Number(argument),
  stderr: async (channel, argument) => {
    channel.send("to stdout\n");
    channel.sendStderr("to stderr\n");
    return Number(argument);
  },
  env: async (channel) => {
    channel.send(
      [...channel.environment]
        .map(([name, value]) => `${name}=${value}\n`)
        .sort()
        .join(""),
    );
    return 0;
  },
  kill: async (channel, argument) => {
    channel.sendExitSignal(argument, { message: "killed by the test" });
    channel.close();
    return undefined;
  },
  "wait-signal": async (channel) => {
    channel.send("waiting\n");
    const [signal] = await once(channel, "signal", { signal: channel.signal });
    channel.send(`signal ${signal}\n`);
    return 0;
  },
};

/** A "shell" that reports what reaches it: its terminal, each resize and break, and each line typed, until `exit`. */
async function runShell(channel: Channel): Promise<void> {
  const { pty } = channel;
  channel.send(pty ? `terminal ${pty.term} ${pty.width}x${pty.height}\r\n` : "no terminal\n");
  channel.on("resize", () => channel.send(`resize ${channel.pty?.width}x${channel.pty?.height}\r\n`));
  channel.on("break", (milliseconds: number) => channel.send(`break ${milliseconds}\r\n`));
  channel.on("signal", (signal: string) => channel.send(`signal ${signal}\r\n`));
  let typed = "";
  for await (const chunk of channel) {
    typed += chunk.toString("latin1");
    const lines = typed.split(/\r\n|\r|\n/);
    typed = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "exit") {
        channel.sendExitStatus(0);
        channel.close();
        return;
      }
      channel.send(`line ${JSON.stringify(line)}\r\n`);
    }
  }
  channel.sendExitStatus(0);
  channel.close();
}
