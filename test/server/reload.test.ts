import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it, vi } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { type Channel, SSHServer, type SSHServerManager, type SSHServerManagerOptions } from "../../src/index.js";
import { AUTH_SUCCESSFUL, MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { Deferred } from "../attack/deferred.js";
import { LogRecord } from "../authenticators/test-login.js";
import { extent } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import { execRequest, globalRequest, readChannelData } from "../support/packet-messages.js";
import { StreamEnded } from "../support/packet-socket.js";
import { createManager, login, PASSWORD, startManager, TestServer, USERNAME } from "./test-server.js";

const newKey = () => PKey.generate({ keyType: "ed25519" });
const first = newKey();
const second = newKey();

/** A server whose commands say which one it is. */
class NamedServer extends TestServer {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  override checkChannelExecRequest(channel: Channel): boolean {
    channel.send(this.#name);
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

/** The options of `createManager`, but for those that a test gives. */
const optionsWith = (options: Partial<SSHServerManagerOptions> = {}): SSHServerManagerOptions => ({
  serverInterface: new TestServer(),
  ...(options.serverKeys === undefined && { serverKey: first }),
  logger: false,
  authFailureDelay: 0,
  ...options,
});

const said = async (client: PacketClient) => `${(await client.exec("who")).stdout}`;
const blame = (option: string) => expect.objectContaining({ name: "ConfigurationError", option });

async function served(manager: SSHServerManager): Promise<{ readonly key: Buffer; readonly by: string }> {
  const client = await login(manager);
  const by = await said(client);
  await client.close();
  return { key: client.hostKeyBlob, by };
}

/** The host keys that a client is told after its login. */
async function announcedKeys(client: PacketClient): Promise<readonly Buffer[]> {
  const reader = new Reader(await client.expect(MessageNumber.GLOBAL_REQUEST));
  expect([reader.readByte(), reader.readText(), reader.readBoolean()]).toEqual([80, "hostkeys-00@openssh.com", false]);
  const keys: Buffer[] = [];
  while (reader.remaining > 0) keys.push(reader.readString());
  return keys;
}

describe("after a reload", () => {
  it("new connections have the new keys, hooks and limits, and open ones go on with the old", async () => {
    const manager = await startManager(optionsWith({ serverInterface: new NamedServer("old"), maxChannels: 1 }));
    const old = await login(manager);
    await manager.reload(optionsWith({ serverInterface: new NamedServer("new"), serverKey: second }));
    expect(await served(manager)).toEqual({ key: second.publicBlob, by: "new" });
    expect(await said(old)).toBe("old");
    await old.exchangeKeys();
    expect(old.hostKeyBlob).toEqual(first.publicBlob);
    expect(await said(old)).toBe("old");
    await old.openSession();
    await expect(old.openSession()).rejects.toThrow();
    const current = await login(manager);
    await current.openSession();
    await current.openSession();
  });

  it("a login that was under way goes on with the users and the keys of before, also those that it announces", async () => {
    const manager = await startManager(optionsWith({ serverKeys: [first] }));
    const begun = await PacketClient.authenticating(manager.port, { hostKeys: "given" });
    const greeted = await PacketClient.connect(manager.port);
    await greeted.exchangeIdentifications();
    await manager.reload(optionsWith({ serverInterface: new SSHServer(), serverKeys: [second] }));
    expect((await begun.authPassword(USERNAME, PASSWORD))[0]).toBe(MessageNumber.USERAUTH_SUCCESS);
    expect(await announcedKeys(begun)).toEqual([first.publicBlob]);
    const prove = (key: PKey) =>
      globalRequest("hostkeys-prove-00@openssh.com", "want-reply", new Writer().writeString(key.publicBlob).toBuffer());
    begun.sendPacket(prove(second));
    await begun.expect(MessageNumber.REQUEST_FAILURE);
    begun.sendPacket(prove(first));
    await begun.expect(MessageNumber.REQUEST_SUCCESS);
    await greeted.exchangeKeys();
    expect(greeted.hostKeyBlob).toEqual(first.publicBlob);
    await expect(login(manager)).rejects.toThrow();
  });

  it("options that are left out have their defaults, and what was set by a method stays", async () => {
    const manager = createManager(optionsWith({ maxConnectionsPerUser: 1 }));
    manager.setMaxConnections(2);
    await manager.startServer();
    await manager.reload(optionsWith());
    const clients = [await login(manager), await login(manager)];
    await expect(login(manager)).rejects.toThrow("too many connections");
    expect(() => manager.setMaxConnections(5)).toThrow(blame("maxConnections"));
    await manager.reload(optionsWith({ maxConnections: 3 }));
    clients.push(await login(manager));
    await expect(login(manager)).rejects.toThrow("too many connections");
    for (const client of clients) await client.close();
  });

  it("connections and users of before count, and give back what they had", async () => {
    const manager = await startManager(optionsWith());
    const old = [await login(manager), await login(manager)];
    const startup = await PacketClient.handshake(manager.port);
    await manager.reload(optionsWith({ maxConnectionsPerUser: 3, maxConnections: 4 }));
    expect(manager.getConnectionStats()).toMatchObject({ active: 3, startups: 1 });
    const current = await login(manager);
    await expect(login(manager)).rejects.toThrow("too many connections");
    await startup.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(3));
    await expect(login(manager)).rejects.toThrow("too many connections of this user");
    for (const client of [...old, current]) await client.close();
    await vi.waitFor(() => expect(manager.getConnectionStats()).toMatchObject({ active: 0, startups: 0 }));
  });

  it("sources stay penalised, as long as they were", async () => {
    const strict = { perSourcePenalties: { min: 1, noAuth: 60 }, perSourcePenaltyExemptList: [] } as const;
    const manager = await startManager(optionsWith(strict));
    const attacker = { localAddress: "127.0.0.66" };
    await (await PacketClient.handshake(manager.port, attacker)).close();
    await vi.waitFor(() => expect(manager.getConnectionStats().penalisedSources).toBe(1));
    await manager.reload(optionsWith({ ...strict, perSourcePenalties: { min: 30, max: 40 } }));
    await expect(PacketClient.handshake(manager.port, attacker)).rejects.toThrow(StreamEnded);
    await login(manager);
    await manager.reload(optionsWith({ perSourcePenalties: false }));
    await (await PacketClient.handshake(manager.port, attacker)).close();
    await manager.reload(optionsWith(strict));
    expect(manager.getConnectionStats().penalisedSources).toBe(0);
  });

  it("ports that are forwarded count, and stay", async () => {
    const forwarding = { remote: () => true, maxListenersPerServer: 1 };
    const serverInterface = () => new SSHServer({ authentication: { password: () => AUTH_SUCCESSFUL }, forwarding });
    const manager = await startManager(optionsWith({ serverInterface: serverInterface() }));
    const ask = async (client: PacketClient) => {
      const fields = new Writer().writeString(Buffer.from("127.0.0.1")).writeUint32(0).toBuffer();
      client.sendPacket(globalRequest("tcpip-forward", "want-reply", fields));
      return (await client.nextPacket())[0];
    };
    const old = await login(manager);
    expect(await ask(old)).toBe(MessageNumber.REQUEST_SUCCESS);
    await manager.reload(optionsWith({ serverInterface: serverInterface() }));
    const current = await login(manager);
    expect(await ask(current)).toBe(MessageNumber.REQUEST_FAILURE);
    await old.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(1));
    expect(await ask(current)).toBe(MessageNumber.REQUEST_SUCCESS);
  });

  it("other addresses may connect", async () => {
    const manager = await startManager(optionsWith());
    await manager.reload(optionsWith({ denyFrom: "127.0.0.66" }));
    await expect(PacketClient.handshake(manager.port, { localAddress: "127.0.0.66" })).rejects.toThrow(StreamEnded);
    await manager.reload(optionsWith({ allowFrom: "127.0.0.66" }));
    await expect(login(manager)).rejects.toThrow(StreamEnded);
    await manager.reload(optionsWith());
    await login(manager);
  });

  it("a stop tells the declared sessions of before, too, and waits for them", async () => {
    const server = () =>
      new SSHServer({
        authentication: { password: () => AUTH_SUCCESSFUL },
        session: async ({ signal, stdout }) => {
          if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
          stdout.write("bye");
        },
      });
    const manager = await startManager(optionsWith({ serverInterface: server() }));
    const begin = async () => {
      const client = await login(manager);
      const { id } = await client.openSession();
      client.sendPacket(execRequest(id, "wait"));
      await client.expect(MessageNumber.CHANNEL_SUCCESS);
      return client;
    };
    const old = await begin();
    await manager.reload(optionsWith({ serverInterface: server() }));
    const clients = [old, await begin()];
    const stopped = manager.stopServer();
    for (const client of clients) {
      expect(`${readChannelData(await client.expect(MessageNumber.CHANNEL_DATA))}`).toBe("bye");
      await client.close();
    }
    await stopped;
  });
});

describe("a reload", () => {
  it("that is wrong leaves the old settings in force, and says what is wrong", async () => {
    const manager = await startManager(optionsWith({ serverInterface: new NamedServer("old"), maxConnections: 5 }));
    const serverInterface = new NamedServer("new");
    const folder = new SSHServer({ sftp: "/no-such-folder/files" });
    for (const [option, options] of [
      ["maxConection", { maxConection: 5 }],
      ["maxConnections", { maxConnections: 0 }],
      ["serverInterface", { serverInterface: {} }],
      ["serverKey", { serverKey: undefined }],
      ["serverKey", { serverKey: PKey.fromBlob(first.publicBlob) }],
      ["serverKeys", { serverKey: undefined, serverKeys: [first, first] }],
      ["allowFrom", { allowFrom: "home" }],
      ["denyFrom", { denyFrom: undefined }],
      ["perSourcePenalties.min", { perSourcePenalties: { min: 5, max: 1 } }],
      ["perSourceNetBlockSize", { perSourceNetBlockSize: { ipv4: 24 } }],
      ["sftp", { serverInterface: folder }],
      ["options", undefined],
    ] as const) {
      const all = options && { ...optionsWith({ serverInterface, serverKey: second }), ...options };
      await expect(manager.reload(all as never).then(() => option)).rejects.toEqual(blame(option));
    }
    expect(await served(manager)).toEqual({ key: first.publicBlob, by: "old" });
    expect(await served(manager)).toEqual({ key: first.publicBlob, by: "old" });
  });

  it("cannot change the place, which may be named or left out", async () => {
    const manager = await startManager(optionsWith({ bindAddress: "127.0.0.1", port: 0 }));
    const same = [{ bindAddress: "127.0.0.1" }, { port: 0 }, { listen: { host: "127.0.0.1", port: 0 } }];
    for (const place of same) await manager.reload(optionsWith(place));
    const other = { host: "127.0.0.1", port: 22 };
    for (const [option, place] of [
      ["port", { port: 22 }],
      ["port", { bindAddress: "127.0.0.1", port: 22 }],
      ["bindAddress", { bindAddress: "127.0.0.2" }],
      ["listen", { listen: other }],
      ["listen", { listen: [{ host: "127.0.0.1", port: 0 }, other] }],
      ["listen", { listen: { path: "/run/x" } }],
    ] as const) {
      await expect(manager.reload(optionsWith(place))).rejects.toEqual(blame(option));
    }
    await login(manager);
  });

  it("waits for one that is under way, whatever comes of that", async () => {
    const reading = new Deferred<void>();
    const slow = Object.assign(() => 1 as const, { load: () => reading.promise });
    const named = (name: string) => {
      const server = new NamedServer(name);
      return optionsWith({ serverInterface: server });
    };
    const manager = await startManager(named("old"));
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    const slowServer = new SSHServer({ authentication: { publicKey: slow } });
    const all = [
      manager.reload(optionsWith({ serverInterface: slowServer })).then(note("slow")),
      manager.reload({} as never).catch(note("wrong")),
      manager.reload(named("last")).then(note("last")),
    ];
    expect((await served(manager)).by).toBe("old");
    reading.resolve();
    await Promise.all(all);
    expect(order).toEqual(["slow", "wrong", "last"]);
    expect((await served(manager)).by).toBe("last");
  });

  it("changes a server that does not run, and one that is started at the same time", async () => {
    const manager = createManager(optionsWith({ serverInterface: new NamedServer("old") }));
    await manager.reload(optionsWith({ serverInterface: new NamedServer("new") }));
    const reloading = manager.reload(optionsWith({ serverInterface: new NamedServer("newer"), serverKey: second }));
    await manager.startServer();
    await reloading;
    expect(await served(manager)).toEqual({ key: second.publicBlob, by: "newer" });
    await manager.stopServer();
    await manager.startServer();
    expect((await served(manager)).by).toBe("newer");
  });

  it("is told in the log, which is the new one from then on", async () => {
    const [old, current] = [new LogRecord(), new LogRecord()];
    const manager = await startManager(optionsWith({ logger: old }));
    await manager.reload(optionsWith({ logger: current, serverInterface: new SSHServer(), serverKey: second }));
    expect(old.lines.at(-1)?.message).toBe("the server listens");
    expect(current.lines.map(({ level, message, fingerprints }) => [level, message, fingerprints])).toEqual([
      ["info", "the settings were reloaded", [second.fingerprint()]],
      ["warn", expect.stringContaining("nobody can log in"), undefined],
    ]);
  });

  it("leaves nothing of what was before, fifty times in a row", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const manager = await startManager(optionsWith());
    const client = await login(manager);
    await manager.reload(optionsWith());
    const resources = () => process.getActiveResourcesInfo().filter((kind) => kind !== "Immediate").length;
    const listeners = () => process.eventNames().map((name) => process.listenerCount(name));
    const before = { resources: resources(), listeners: listeners() };
    const servers: WeakRef<SSHServer>[] = [];
    for (let count = 0; count < 50; count++) {
      const serverInterface = new TestServer();
      servers.push(new WeakRef(serverInterface));
      await manager.reload(optionsWith({ serverInterface, serverKey: count % 2 === 0 ? second : first }));
      if (count % 10 === 0) await served(manager);
    }
    await vi.waitFor(() => {
      collect();
      // The last one is in use; one more may be on the stack.
      expect(servers.filter((server) => server.deref() !== undefined).length).toBeLessThanOrEqual(2);
    });
    // Not in `vi.waitFor`, which has timers itself.
    const end = performance.now() + 5000;
    while (resources() > before.resources && performance.now() < end) await setImmediate();
    expect(resources()).toBeLessThanOrEqual(before.resources);
    expect(listeners()).toEqual(before.listeners);
    expect((await client.exec("hello")).exitStatus).toBe(0);
  });

  it("refuses nobody who connects at the time", async () => {
    const manager = await startManager(optionsWith({ maxStartups: false, perSourceMaxStartups: false }));
    const [perSecond, seconds] = [50, extent(1, 3)];
    const outcomes: Promise<number | undefined>[] = [];
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        outcomes.push(login(manager).then(async (client) => (await client.exec("hello")).exitStatus));
        if (outcomes.length % 5 === 0) {
          const serverKey = outcomes.length % 2 === 0 ? second : first;
          void manager.reload(optionsWith({ serverKey, maxStartups: false, perSourceMaxStartups: false }));
        }
        if (outcomes.length < perSecond * seconds) return;
        clearInterval(timer);
        resolve();
      }, 1000 / perSecond);
    });
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set([0]));
    expect(manager.getConnectionStats()).toMatchObject({ refused: 0, accepted: perSecond * seconds });
  });
});
