import { expect, onTestFinished, vi } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { type Channel, SSHServer, SSHServerManager } from "../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "../../src/protocol/constants.js";
import { PacketClient } from "../support/packet-client.js";
import type { PacketClientOptions } from "../support/packet-transport.js";
import { withoutAdmission } from "../support/without-admission.js";
import { memoryInUse } from "./memory.js";
import { Resources } from "./resources.js";

export type ManagerOptions = ConstructorParameters<typeof SSHServerManager>[0];

export const USERNAME = "user";
export const PASSWORD = "secret";
export const HOST_KEY = PKey.generate({ keyType: "ed25519" });

const INFORMATIVE = new Set([
  "getAllowedAuths",
  "getRequiredAuths",
  "getBanner",
  "checkKeyRevoked",
  "onAuthenticationFailed",
  "onChannelClosed",
]);

/** What nobody caught: nothing that a peer sends may end up here. */
const uncaught: unknown[] = [];
process.on("unhandledRejection", (reason) => uncaught.push(reason));
process.on("uncaughtExceptionMonitor", (error) => uncaught.push(error));

/** One user with a password and some keys; `exec` answers as the guide has it, but `hold` keeps its channel open. */
export class TargetServer extends SSHServer {
  /** Fingerprints. */
  readonly authorizedKeys = new Set<string>();
  /** Channels on which `hold` was asked for; nobody reads from them. */
  readonly held: Channel[] = [];

  override checkAuthPassword(username: string, password: string): ReturnType<SSHServer["checkAuthPassword"]> {
    return username === USERNAME && password === PASSWORD ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkAuthPublickey(
    username: string,
    key: PKey,
    ..._others: unknown[]
  ): ReturnType<SSHServer["checkAuthPublickey"]> {
    return username === USERNAME && this.authorizedKeys.has(key.fingerprint()) ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override getAllowedAuths(): string[] {
    return ["publickey", "password"];
  }

  override checkChannelRequest(kind: string): ReturnType<SSHServer["checkChannelRequest"]> {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  override checkChannelExecRequest(
    channel: Channel,
    command: Buffer,
  ): ReturnType<SSHServer["checkChannelExecRequest"]> {
    if (command.toString() === "hold") {
      this.held.push(channel);
      return true;
    }
    channel.send(`Executed: ${command}\n`);
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

/** One call of a hook. */
export interface HookCall {
  readonly name: string;
  readonly parameters: readonly unknown[];
}

/** Hooks that change something by being overridden alone. */
const DECIDING_BY_PRESENCE: readonly string[] = ["checkLocalForwardRequest", "checkSocketForwardRequest"];

/** Replaces the hooks of one server by ones that note the call first. */
function recordHooks(server: SSHServer): HookCall[] {
  const calls: HookCall[] = [];
  for (const name of Object.getOwnPropertyNames(SSHServer.prototype)) {
    const hook: unknown = Reflect.get(server, name);
    if (name === "constructor" || typeof hook !== "function") continue;
    if (DECIDING_BY_PRESENCE.includes(name) && hook === Reflect.get(SSHServer.prototype, name)) continue;
    const recording = (...parameters: unknown[]): unknown => {
      calls.push({ name, parameters });
      return Reflect.apply(hook, server, parameters);
    };
    Object.defineProperty(server, name, { value: recording });
  }
  return calls;
}

/** A server that a test attacks, with a client that was there first and has done nothing wrong. */
export class Attacked<Target extends SSHServer = TargetServer> {
  readonly server: Target;
  readonly manager: SSHServerManager;
  readonly #calls: HookCall[];
  #bystander: PacketClient | undefined;
  #resources: Resources | undefined;

  private constructor(server: Target, calls: HookCall[], options: Partial<ManagerOptions>) {
    this.server = server;
    this.#calls = calls;
    this.manager = new SSHServerManager({
      serverInterface: server,
      ...(options.serverKeys === undefined && { serverKey: HOST_KEY }),
      bindAddress: "127.0.0.1",
      port: 0,
      logger: false,
      authFailureDelay: 0,
      ...withoutAdmission,
      ...options,
    });
  }

  /** Starts a server for the length of the test; `prepare` may set limits before it starts. */
  static async start<Target extends SSHServer>(
    server: Target,
    options: Partial<ManagerOptions> = {},
    prepare: (manager: SSHServerManager) => void = () => {},
  ): Promise<Attacked<Target>> {
    uncaught.length = 0;
    const attacked = new Attacked(server, recordHooks(server), options);
    prepare(attacked.manager);
    onTestFinished(() => attacked.manager.stopServer({ gracePeriod: 0 }));
    await attacked.manager.startServer();
    attacked.#bystander = await attacked.login();
    attacked.forgetCalls();
    attacked.#resources = new Resources();
    return attacked;
  }

  get port(): number {
    return this.manager.port;
  }

  /** Hooks that ran since the attack began, or since `forgetCalls`. */
  get calls(): readonly HookCall[] {
    return this.#calls;
  }

  /** Names of the hooks in `calls` that decide something. */
  get callNames(): string[] {
    return this.calls.map(({ name }) => name).filter((name) => !INFORMATIVE.has(name));
  }

  forgetCalls(): void {
    this.#calls.length = 0;
  }

  /** Bytes that this process needs, beside the notes about hooks. */
  memoryInUse(): number {
    this.forgetCalls();
    return memoryInUse();
  }

  connect(options: PacketClientOptions = {}): Promise<PacketClient> {
    return PacketClient.connect(this.port, options);
  }

  login(options: PacketClientOptions = {}): Promise<PacketClient> {
    return PacketClient.login(this.port, USERNAME, PASSWORD, options);
  }

  authenticating(options: PacketClientOptions = {}): Promise<PacketClient> {
    return PacketClient.authenticating(this.port, options);
  }

  /**
   * Once the attacker is gone: nothing of it remains, nothing escaped, both the client that was there all the time and a
   * new one can work, and timers, handles and memory are what they were.
   */
  async expectUnharmed(): Promise<void> {
    await vi.waitFor(() => expect(this.manager.getActiveConnections()).toHaveLength(1), {
      interval: 2,
      timeout: 10_000,
    });
    expect(this.manager.getConnectionCount()).toBe(1);
    expect(uncaught).toEqual([]);
    for (const client of [this.#bystander, await this.login()]) {
      if (client === undefined) throw new Error("the server was not started");
      const { stdout, exitStatus } = await client.exec("hello");
      expect([stdout.toString(), exitStatus]).toEqual(["Executed: hello\n", 0]);
      if (client !== this.#bystander) await client.close();
    }
    await vi.waitFor(() => expect(this.manager.getConnectionCount()).toBe(1), { interval: 2, timeout: 10_000 });
    await this.#resources?.expectBack();
  }
}
