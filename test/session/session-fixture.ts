import { once } from "node:events";
import { join } from "node:path";
import { Client, type ClientChannel, type ConnectConfig, type ExecOptions } from "ssh2";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import {
  AUTH_SUCCESSFUL,
  createServer,
  type Logger,
  type Server,
  type ServerOptions,
  type SessionHandler,
} from "../../src/index.js";
import { QUICK_ALGORITHMS } from "../support/clients.js";
import { ExternalProcess, type ProcessOptions, type ProcessResult, temporaryFolder } from "../support/tools.js";
import { withoutAdmission } from "../support/without-admission.js";

const hostKey = PKey.generate({ keyType: "ed25519" });

export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How a command has ended for an ssh2 client. */
export interface CommandEnd {
  readonly status: number | null | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server of `createServer`, whose session handler each test gives, and clients that need no password. */
export interface SessionFixture {
  readonly server: Server;
  /** The lines of the log since the test began. */
  readonly log: readonly LogLine[];
  /** The handler of all sessions from now on. */
  handle(handler: SessionHandler): void;
  /** Resolves when the log has such a line, from the start of the test on. */
  logged(level: keyof Logger, message: string): Promise<LogLine>;
  /** A client of the library ssh2 that has logged in; it leaves when its scope ends. */
  connect(options?: ConnectConfig): Promise<Client & Disposable>;
  /** Runs a command with ssh2 to its end. */
  exec(command: string, options?: ExecOptions): Promise<CommandEnd>;
  /** Starts `ssh`; parameters stand behind the options that name the server, and in front of the host. */
  ssh(parameters: readonly string[], command: string | undefined, options?: ProcessOptions): ExternalProcess;
  /** Runs a command with `ssh` to its end. */
  run(command: string, options?: ProcessOptions): Promise<ProcessResult>;
}

/** Call it where tests are declared. */
export function sessionFixture(options: Partial<ServerOptions> = {}): SessionFixture {
  const folder = temporaryFolder();
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  const write =
    (level: keyof Logger): Logger["info"] =>
    (fields, message) => {
      lines.push({ level, message, fields: { ...fields } });
      for (const look of waiting) look();
    };
  let handler: SessionHandler = () => undefined;
  const server = createServer({
    hostKey,
    authentication: { none: () => AUTH_SUCCESSFUL },
    session: function session(opened) {
      return handler(opened);
    },
    logger: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
    algorithms: QUICK_ALGORITHMS,
    ...withoutAdmission,
    ...options,
  });
  beforeAll(() => server.listen(0));
  beforeEach(() => {
    lines.length = 0;
  });
  afterAll(() => server.close({ grace: 0 }));

  const fixture: SessionFixture = {
    server,
    log: lines,
    handle(next) {
      handler = next;
    },
    logged: (level, message) =>
      new Promise((resolve) => {
        const look = () => {
          const line = lines.find((one) => one.level === level && one.message === message);
          if (line === undefined) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
        look();
      }),
    connect: (settings) => connectTo(server.port, settings),
    async exec(command, execOptions = {}) {
      using client = await fixture.connect();
      return await commandEnd(await openCommand(client, command, execOptions));
    },
    ssh(parameters, command, processOptions) {
      const name = ["-p", `${server.port}`, "-F", "none", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"];
      const trust = ["-o", "StrictHostKeyChecking=no", "-o", `UserKnownHostsFile=${join(folder, "known_hosts")}`];
      const rest = command === undefined ? [] : [command];
      const all = [...name, ...trust, ...parameters, "ann@127.0.0.1", ...rest];
      return new ExternalProcess("ssh", all, processOptions);
    },
    run: (command, processOptions) => fixture.ssh([], command, { input: new Uint8Array(), ...processOptions }).finished,
  };
  return fixture;
}

export async function connectTo(port: number, options: ConnectConfig = {}): Promise<Client & Disposable> {
  const client = new Client();
  const ready = new Promise<void>((resolve, reject) => client.once("ready", () => resolve()).once("error", reject));
  client.connect({ host: "127.0.0.1", port, username: "ann", ...options });
  // Or each of its messages waits for the acknowledgement of the one before, 40 ms.
  client.setNoDelay();
  await ready;
  client.on("error", () => {});
  return Object.assign(client, { [Symbol.dispose]: () => void client.end() });
}

export function openCommand(client: Client, command: string, options: ExecOptions = {}): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, options, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

export function commandEnd(channel: ClientChannel): Promise<CommandEnd> {
  let [stdout, stderr] = ["", ""];
  channel.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  channel.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve) => {
    channel.on("close", (status?: number | null, signal?: string) => resolve({ status, signal, stdout, stderr }));
  });
}

/** Resolves when a signal fires, or at once where it has. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
