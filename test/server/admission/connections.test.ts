import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it, vi } from "vitest";
import type { Connection, SSHServerManagerOptions } from "../../../src/index.js";
import { AUTH_FAILED, DisconnectReason } from "../../../src/protocol/constants.js";
import { PacketClient } from "../../support/packet-client.js";
import { noneRequest } from "../../support/packet-messages.js";
import { StreamEnded } from "../../support/packet-socket.js";
import { duplexPair } from "../duplex-pair.js";
import { createManager, PASSWORD, startManager, TestServer, USERNAME } from "../test-server.js";

/** Penalties that are enforced at once, also against loopback. */
const STRICT = {
  perSourcePenalties: { min: 1, authFail: 60, invalidUser: 60, noAuth: 60, crash: 60, refuseConnection: 60 },
  perSourcePenaltyExemptList: [],
} as const satisfies Partial<SSHServerManagerOptions>;

const ATTACKER = { localAddress: "127.0.0.66" };

/** Starts a server and notes its events. */
async function start(options: Partial<SSHServerManagerOptions> = {}) {
  const manager = await startManager(options);
  const events: unknown[][] = [];
  manager.on("connection", ({ remoteAddress }) => events.push(["connection", remoteAddress]));
  manager.on("authenticated", ({ username }) => events.push(["authenticated", username]));
  manager.on("disconnected", ({ remoteAddress }) => events.push(["disconnected", remoteAddress]));
  manager.on("refused", ({ reason, remoteAddress }) => events.push(["refused", reason, remoteAddress]));
  manager.on("penalty", ({ cause, remoteAddress, enforced }) =>
    events.push(["penalty", cause, remoteAddress, enforced]),
  );
  const refusalsAndPenalties = () => events.filter(([name]) => name === "refused" || name === "penalty");
  return { manager, events, refusalsAndPenalties };
}

/** The server has closed the connection without a byte. */
async function expectDropped(port: number, localAddress: string): Promise<void> {
  const client = await PacketClient.connect(port, { localAddress });
  await expect(client.stream.take(1)).rejects.toThrow(StreamEnded);
  expect(client.stream.available).toBe(0);
}

async function expectServed(port: number, localAddress: string): Promise<void> {
  const client = await PacketClient.login(port, USERNAME, PASSWORD, { localAddress });
  expect((await client.exec("hello")).exitStatus).toBe(0);
  await client.close();
}

describe("sockets that are refused", () => {
  it("get nothing, and cost nobody else anything", async () => {
    const { manager, events } = await start({ denyFrom: "127.0.0.66" });
    await expectDropped(manager.port, "127.0.0.66");
    await expectServed(manager.port, "127.0.0.2");
    expect(manager.getConnectionStats()).toMatchObject({ accepted: 1, refused: 1 });
    expect(manager.getConnectionStats().refusedBy).toMatchObject({ denyFrom: 1, allowFrom: 0 });
    await vi.waitFor(() => expect(events.at(-1)).toEqual(["disconnected", "127.0.0.2"]));
    expect(events).toEqual([
      ["refused", "denyFrom", "127.0.0.66"],
      ["connection", "127.0.0.2"],
      ["authenticated", USERNAME],
      ["disconnected", "127.0.0.2"],
    ]);
  });

  it("are those of all others, where somebody is allowed", async () => {
    const { manager } = await start({ allowFrom: ["127.0.0.2", "10.0.0.0/8"] });
    await expectServed(manager.port, "127.0.0.2");
    await expectDropped(manager.port, "127.0.0.3");
  });

  it("are those on an IPv6 listener whose IPv4 address is denied", async () => {
    const { manager } = await start({ bindAddress: "::", denyFrom: "127.0.0.66" });
    await expectDropped(manager.port, "127.0.0.66");
    await expectServed(manager.port, "127.0.0.2");
  });

  it("are one source's too many without a login, not those of others", async () => {
    const { manager } = await start({ perSourceMaxStartups: 2 });
    const held = [
      await PacketClient.connect(manager.port, ATTACKER),
      await PacketClient.handshake(manager.port, ATTACKER),
    ];
    await vi.waitFor(() => expect(manager.getConnectionStats().startups).toBe(2));
    await expectDropped(manager.port, ATTACKER.localAddress);
    await expectServed(manager.port, "127.0.0.2");
    for (const client of held) client.reset();
    await vi.waitFor(() => expect(manager.getConnectionStats().startups).toBe(0));
    await expectServed(manager.port, ATTACKER.localAddress);
  });

  it("are one source's too many at all", async () => {
    const { manager } = await start({ perSourceMaxConnections: 1 });
    const held = await PacketClient.login(manager.port, USERNAME, PASSWORD, ATTACKER);
    await expectDropped(manager.port, ATTACKER.localAddress);
    await expectServed(manager.port, "127.0.0.2");
    await held.close();
  });

  it("are those that were gone before they were accepted, which have no address any more", async () => {
    const { manager, events } = await start({ denyFrom: "127.0.0.66", perSourceMaxStartups: 1 });
    const attackers = Array.from({ length: 50 }, () => {
      const socket = connect({ port: manager.port, host: "127.0.0.1", ...ATTACKER });
      socket.on("error", () => {});
      socket.on("connect", () => socket.resetAndDestroy());
      return once(socket, "close");
    });
    await Promise.all(attackers);
    await expectServed(manager.port, "127.0.0.2");
    expect(events.filter(([name]) => name === "connection")).toEqual([["connection", "127.0.0.2"]]);
    expect(manager.getConnectionStats().accepted).toBe(1);
  });

  it("are all when too many have not logged in, and none when they have", async () => {
    const { manager } = await start({ maxStartups: 3 });
    const clients = [];
    for (const host of [1, 2, 3]) {
      const localAddress = `127.0.1.${host}`;
      clients.push(await PacketClient.authenticating(manager.port, { localAddress }));
    }
    await expectDropped(manager.port, "127.0.1.4");
    expect(manager.getConnectionStats().refusedBy.maxStartups).toBe(1);
    await clients[0]?.authPassword(USERNAME, PASSWORD);
    await expectServed(manager.port, "127.0.1.4");
    expect(manager.getConnectionStats().startups).toBe(2);
  });

  it("hear of it where a stream was handed over, since only its owner can close it", async () => {
    const { manager } = await start({ allowFrom: "192.0.2.1" });
    const [server, client] = duplexPair();
    const received: Buffer[] = [];
    client.on("data", (chunk: Buffer) => received.push(chunk));
    manager.handleConnection(server, { remoteAddress: "192.0.2.2" });
    await vi.waitFor(() => expect(Buffer.concat(received).toString("latin1")).toContain("not allowed at this time"));
    expect(manager.getConnectionStats().refusedBy.allowFrom).toBe(1);
  });
});

describe("a flood of refusals", () => {
  it.each([
    ["that are told", "maxConnections"],
    ["that are not", "denyFrom"],
  ])("%s leaves a few lines in the log and nothing else", async (_, reason) => {
    const lines: string[] = [];
    const write = (_fields: object, message: string) => void lines.push(message);
    const logger = { debug: () => {}, info: write, warn: write, error: write };
    const manager = createManager({ logger, ...(reason === "denyFrom" && { denyFrom: ATTACKER.localAddress }) });
    manager.setMaxConnections(1);
    await manager.startServer();
    const held = await PacketClient.login(manager.port, USERNAME, PASSWORD);
    for (let count = 0; count < 50; count++) {
      const client = await PacketClient.connect(manager.port, ATTACKER);
      await client.waitEnd().catch(() => {});
    }
    expect(manager.getConnectionStats().refusedBy).toMatchObject({ [reason]: 50 });
    expect((await held.exec("hello")).exitStatus).toBe(0);
    await held.close();
    await manager.stopServer();
    expect(lines.filter((line) => line.includes("refused"))).toEqual([
      "a connection was refused",
      "more connections were refused",
    ]);
    expect(lines.filter((line) => line === "a connection has ended")).toHaveLength(1);
  });
});

describe("penalties", () => {
  it("are for those who leave after a failed attempt", async () => {
    const { manager, refusalsAndPenalties } = await start(STRICT);
    const client = await PacketClient.authenticating(manager.port, ATTACKER);
    await client.authPassword(USERNAME, "wrong");
    await client.close();
    await vi.waitFor(() => expect(refusalsAndPenalties()).toEqual([["penalty", "authFail", "127.0.0.66", true]]));
    await expectDropped(manager.port, ATTACKER.localAddress);
    await expectServed(manager.port, "127.0.0.2");
    const stats = manager.getConnectionStats();
    expect([stats.refusedBy.perSourcePenalties, stats.penalisedSources]).toEqual([1, 1]);
  });

  it("are not for those who fail and then log in", async () => {
    const { manager, refusalsAndPenalties } = await start(STRICT);
    const client = await PacketClient.authenticating(manager.port, ATTACKER);
    await client.authPassword(USERNAME, "wrong");
    await client.authPassword(USERNAME, PASSWORD);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    expect(refusalsAndPenalties()).toEqual([]);
  });

  it("are not for what clients do after a login", async () => {
    const { manager, refusalsAndPenalties } = await start(STRICT);
    const client = await PacketClient.login(manager.port, USERNAME, PASSWORD, ATTACKER);
    client.sendPacket(Buffer.from([99]));
    await client.waitEnd();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    expect(refusalsAndPenalties()).toEqual([]);
  });

  it.each<[what: string, attack: (port: number) => Promise<PacketClient>]>([
    ["leave at once", (port) => PacketClient.connect(port, ATTACKER)],
    ["leave after the key exchange", (port) => PacketClient.handshake(port, ATTACKER)],
    [
      "only ask for the methods",
      async (port) => {
        const client = await PacketClient.authenticating(port, ATTACKER);
        await client.authenticate(noneRequest(USERNAME));
        return client;
      },
    ],
  ])("are for those who %s", async (_, attack) => {
    const { manager, refusalsAndPenalties } = await start(STRICT);
    const client = await attack(manager.port);
    await client.close();
    await vi.waitFor(() => expect(refusalsAndPenalties()).toEqual([["penalty", "noAuth", "127.0.0.66", true]]));
  });

  it.each([
    ["speak no SSH", "GET / HTTP/1.1\r\n\r\n"],
    ["claim to be a proxy", "PROXY TCP4 127.0.0.2 127.0.0.1 1 22\r\nSSH-2.0-x\r\n"],
    ["break the protocol", `SSH-2.0-x\r\n${"\0".repeat(64)}`],
  ])("are for those who %s", async (_, bytes) => {
    const { manager, refusalsAndPenalties } = await start(STRICT);
    const client = await PacketClient.connect(manager.port, ATTACKER);
    client.stream.socket.write(bytes);
    await vi.waitFor(() => expect(refusalsAndPenalties()).toEqual([["penalty", "noAuth", "127.0.0.66", true]]));
    client.reset();
  });

  it("are for those who are too slow", async () => {
    const manager = await startManager({ perSourcePenalties: { min: 1 }, perSourcePenaltyExemptList: [] });
    await manager.stopServer();
    manager.setConnectionTimeout(0.1);
    await manager.startServer();
    const causes: unknown[] = [];
    manager.on("penalty", ({ cause, seconds }) => causes.push([cause, Math.round(seconds)]));
    const client = await PacketClient.connect(manager.port, ATTACKER);
    await client.exchangeIdentifications();
    await client.waitEnd();
    expect(causes).toEqual([["graceExceeded", 10]]);
  });

  it.each([
    ["waiting until the server ends the connection", { graceExceeded: 2 }, () => {}],
    ["another name, that is no user's", { invalidUser: 0 }, (client: PacketClient) => client.reset()],
  ])("are not made smaller by %s", async (_, times, leave) => {
    class Reporting extends TestServer {
      override checkAuthPassword(username: string, _password: string, connection?: Connection) {
        if (username !== USERNAME) connection?.reportInvalidUser();
        return AUTH_FAILED;
      }
    }
    const manager = createManager({
      serverInterface: new Reporting(),
      perSourcePenalties: { authFail: 60, ...times },
      perSourcePenaltyExemptList: [],
    });
    manager.setAuthTimeout(0.5);
    await manager.startServer();
    const penalties: unknown[] = [];
    manager.on("penalty", ({ cause }) => penalties.push(cause));
    const client = await PacketClient.authenticating(manager.port, ATTACKER);
    await client.authPassword("nobody", "wrong");
    await client.authPassword(USERNAME, "wrong");
    leave(client);
    await vi.waitFor(() => expect(penalties).toEqual(["authFail"]));
  });

  it("are for clients whose user does not exist, as a hook reports, and say nothing to them", async () => {
    class Reporting extends TestServer {
      override checkAuthPassword(username: string, password: string, connection?: Connection) {
        if (username !== USERNAME) connection?.reportInvalidUser();
        return username === USERNAME ? super.checkAuthPassword(username, password) : AUTH_FAILED;
      }
    }
    const { manager, refusalsAndPenalties } = await start({ ...STRICT, serverInterface: new Reporting() });
    const client = await PacketClient.authenticating(manager.port, ATTACKER);
    const replies = [await client.authPassword("nobody", "wrong"), await client.authPassword(USERNAME, "wrong")];
    expect(replies[0]).toEqual(replies[1]);
    await client.close();
    await vi.waitFor(() => expect(refusalsAndPenalties()).toEqual([["penalty", "invalidUser", "127.0.0.66", true]]));
  });

  it("are for those whom a listener refuses", async () => {
    const { manager, refusalsAndPenalties } = await start(STRICT);
    manager.on("connection", (connection) => connection.refuse());
    const client = await PacketClient.connect(manager.port, ATTACKER);
    await client.readIdentification();
    const { reason } = await client.waitDisconnect();
    expect(reason).toBe(DisconnectReason.HOST_NOT_ALLOWED_TO_CONNECT);
    expect(refusalsAndPenalties()).toEqual([["penalty", "refuseConnection", "127.0.0.66", true]]);
  });

  it("are given once, even if a listener ends the connections of a source that is penalised", async () => {
    const { manager, refusalsAndPenalties } = await start({ ...STRICT, perSourcePenalties: { min: 1, authFail: 10 } });
    manager.on("penalty", ({ remoteAddress }) => {
      for (const connection of manager.getActiveConnections()) {
        if (connection.remoteAddress === remoteAddress) connection.refuse();
      }
    });
    const client = await PacketClient.authenticating(manager.port, ATTACKER);
    await client.authPassword(USERNAME, "wrong");
    await client.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    expect(refusalsAndPenalties()).toEqual([["penalty", "authFail", "127.0.0.66", true]]);
  });

  it("are not for a user who has proven to be one and has too many connections", async () => {
    const { manager, refusalsAndPenalties } = await start({ ...STRICT, maxConnectionsPerUser: 1 });
    const first = await PacketClient.login(manager.port, USERNAME, PASSWORD, ATTACKER);
    const second = await PacketClient.authenticating(manager.port, ATTACKER);
    await second.authPassword(USERNAME, "wrong");
    await expect(second.authPassword(USERNAME, PASSWORD)).rejects.toThrow();
    await first.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    expect(refusalsAndPenalties()).toEqual([["refused", "maxConnectionsPerUser", "127.0.0.66"]]);
  });

  it("are not for a login that a hook refuses in the end, beyond those of a failed attempt", async () => {
    class Refusing extends TestServer {
      override onAuthenticationSuccessful(): void {
        throw new Error("the database is away");
      }
    }
    const { manager, refusalsAndPenalties } = await start({ ...STRICT, serverInterface: new Refusing() });
    const client = await PacketClient.authenticating(manager.port, ATTACKER);
    await expect(client.authPassword(USERNAME, PASSWORD)).rejects.toThrow("internal error");
    await vi.waitFor(() => expect(refusalsAndPenalties()).toEqual([["penalty", "authFail", "127.0.0.66", true]]));
  });

  it("are for an internal error", async () => {
    class Failing extends TestServer {
      override onAuthenticationFailed(): never {
        throw new Error("only logged");
      }
    }
    const { manager, refusalsAndPenalties } = await start({ ...STRICT, serverInterface: new Failing() });
    const client = await PacketClient.handshake(manager.port, ATTACKER);
    // Nothing that a client sends brings one about that we know of: so something breaks inside.
    const broken = vi.spyOn(Buffer, "byteLength").mockImplementation(() => {
      throw new Error("broken");
    });
    try {
      await client.requestService("ssh-userauth");
      client.sendPacket(noneRequest(USERNAME));
      await vi.waitFor(() => expect(refusalsAndPenalties()).toEqual([["penalty", "crash", "127.0.0.66", true]]));
    } finally {
      broken.mockRestore();
    }
  });

  it("are not for those whom the server disconnects of its own accord", async () => {
    const { manager, refusalsAndPenalties } = await start(STRICT);
    const client = await PacketClient.handshake(manager.port, ATTACKER);
    expect(manager.closeConnection(manager.getActiveConnections()[0]?.id ?? -1)).toBe(true);
    await client.waitEnd();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    expect(refusalsAndPenalties()).toEqual([]);
  });

  it("leave loopback alone by default", async () => {
    const { manager } = await start();
    for (let count = 0; count < 20; count++) {
      const client = await PacketClient.authenticating(manager.port, ATTACKER);
      await client.authPassword(USERNAME, "wrong");
      await client.close();
    }
    await expectServed(manager.port, ATTACKER.localAddress);
  });
});

describe("connections of one user", () => {
  it("are limited once somebody has proven to be that user", async () => {
    const { manager } = await start({ maxConnectionsPerUser: 1 });
    const first = await PacketClient.login(manager.port, USERNAME, PASSWORD);
    const second = await PacketClient.authenticating(manager.port);
    await expect(second.authPassword(USERNAME, PASSWORD)).rejects.toMatchObject({
      disconnect: { reason: DisconnectReason.TOO_MANY_CONNECTIONS },
    });
    expect((await first.exec("hello")).exitStatus).toBe(0);
    expect(manager.getConnectionStats().refusedBy.maxConnectionsPerUser).toBe(1);
    await first.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    await expectServed(manager.port, "127.0.0.1");
  });
});

describe("listeners", () => {
  it("that throw or reject harm neither the server nor other listeners", async () => {
    const logged: unknown[] = [];
    const ignore = () => {};
    const error = (fields: object, message: string) => logged.push([message, "event" in fields && fields.event]);
    const { manager, events } = await start({ logger: { debug: ignore, info: ignore, warn: ignore, error } });
    manager.prependListener("connection", () => {
      throw new Error("broken");
    });
    manager.prependListener("authenticated", async () => {
      throw new Error("broken too");
    });
    await expectServed(manager.port, "127.0.0.2");
    await vi.waitFor(() => expect(events).toHaveLength(3));
    expect(logged).toEqual([
      ["a listener of the manager has failed", "connection"],
      ["a listener of the manager has failed", "authenticated"],
    ]);
  });
});
