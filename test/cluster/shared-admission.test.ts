import { mkdtempSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { extent } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import { passwordRequest } from "../support/packet-messages.js";
import { PacketSocket, StreamEnded } from "../support/packet-socket.js";
import { defaults } from "../support/packet-transport.js";
import { BUSY, StartedWorkers, soon } from "./started-workers.js";
import type { ProgramOptions } from "./workers-process.js";

const SOURCES = extent(200, 10_000);

const start = (server: ProgramOptions["server"]) =>
  StartedWorkers.start({ workers: { workers: 3 }, server: server ?? {} });

/** The server has closed the connection without a byte. */
async function expectDropped(port: number, localAddress: string): Promise<void> {
  const client = await PacketClient.connect(port, { localAddress });
  await expect(client.stream.take(1)).rejects.toThrow(StreamEnded);
}

const noPenalties = { perSourcePenalties: false, perSourceMaxStartups: false, maxStartups: false } as const;

class ProxiedClient extends PacketClient {
  /** @param bytes that the proxy sends first */
  static async through(port: number, bytes: string): Promise<PacketClient> {
    const stream = await PacketSocket.connect(port, 10_000, "127.0.0.10");
    stream.socket.write(bytes, "latin1");
    return new ProxiedClient(stream, defaults);
  }
}

describe("over three workers", BUSY, () => {
  it("connections without a login are counted together, and users with theirs", async () => {
    const started = await start({ ...noPenalties, maxStartups: 5, maxConnectionsPerUser: 4 });
    const users = [];
    for (let count = 0; count < 4; count++) users.push(await started.login());
    expect((await started.workers()).map(({ connections }) => connections).sort()).toEqual([1, 1, 2]);
    // One user more than may be: told so by whichever worker has it.
    const fifth = await PacketClient.authenticating(started.port);
    fifth.sendPacket(passwordRequest("ann", "secret"));
    expect(await fifth.waitDisconnect()).toMatchObject({
      reason: DisconnectReason.TOO_MANY_CONNECTIONS,
      message: "too many connections of this user",
    });
    const other = await started.login({}, "bob");
    await users[0]?.close();
    await soon(async () => expect((await started.login()).stream.socket.closed).toBe(false));

    const held = [];
    for (let count = 0; count < 5; count++) held.push(await PacketClient.handshake(started.port));
    await expectDropped(started.port, "127.0.0.1");
    expect((await started.statistics()).refusedBy).toMatchObject({ maxStartups: 1 });
    expect((await started.statistics()).refusedBy.maxConnectionsPerUser).toBeGreaterThanOrEqual(1);
    const numbers = (await started.workers()).map(({ worker }) => worker);
    // The event names the worker that the client was at, where it was at one.
    for (const { event, fields } of started.events) {
      if (event !== "refused") continue;
      if (fields.reason === "maxConnectionsPerUser") expect(numbers).toContain(fields.worker);
      else expect(fields.worker).toBeUndefined();
    }
    expect((await started.statistics()).startups).toBe(5);
    held[0]?.reset();
    await soon(async () => expect((await started.statistics()).startups).toBe(4));
    await started.login({}, "eve");
    await other.close();
  });

  it("all connections are counted together, and a client that is one too many is told so", async () => {
    const started = await start({ ...noPenalties, maxConnections: 7 });
    const clients = [];
    for (let count = 0; count < 7; count++) clients.push(await started.login());
    for (let count = 0; count < 3; count++) {
      const client = await PacketClient.connect(started.port);
      await client.exchangeIdentifications();
      expect(await client.waitDisconnect()).toMatchObject({
        reason: DisconnectReason.TOO_MANY_CONNECTIONS,
        message: "too many connections",
      });
    }
    await clients[3]?.close();
    await soon(async () => expect((await started.statistics()).active).toBe(6));
    expect(await started.pidOf(await started.login())).toBeGreaterThan(0);
    expect(await started.statistics()).toMatchObject({ accepted: 8, refusedBy: { maxConnections: 3 } });
    expect(started.events.filter(({ event }) => event === "refused")).toHaveLength(3);
  });

  it("who comes again and again finds the places free that they have left", async () => {
    const limits = { maxConnections: 6, perSourceMaxConnections: 6, maxStartups: 6, perSourceMaxStartups: 6 };
    const started = await start({ ...limits, perSourcePenalties: false });
    const last = await started.login();
    for (let count = 0; count < 40; count++) await (await started.login()).close();
    for (let count = 0; count < 5; count++) await started.login();
    expect(await started.statistics()).toMatchObject({ accepted: 46, active: 6, startups: 0, refused: 0 });
    // When all places are taken, a client that comes next gets one as soon as it is free.
    await last.close();
    await soon(async () => expect((await started.workers()).reduce((sum, one) => sum + one.connections, 0)).toBe(5));
    await started.login();
    expect(await started.statistics()).toMatchObject({ accepted: 47, active: 6, refused: 0 });
  });

  it("penalties add up, and hold against a source everywhere", async () => {
    const perSourcePenalties = { min: 25, authFail: 10, noAuth: 10 };
    const started = await start({ perSourcePenalties, perSourcePenaltyExemptList: [] });
    const attacker = { localAddress: "127.0.0.66" };
    for (let count = 0; count < 3; count++) {
      const client = await PacketClient.authenticating(started.port, attacker);
      expect((await client.authPassword("ann", "wrong"))[0]).toBe(MessageNumber.USERAUTH_FAILURE);
      await client.close();
      await soon(() => expect(penalties().length).toBe(count + 1));
    }
    const workers = new Set(penalties().map(({ fields }) => fields.worker));
    expect(workers.size).toBe(3);
    expect(penalties().map(({ fields }) => fields.enforced)).toEqual([false, false, true]);
    for (let count = 0; count < 3; count++) await expectDropped(started.port, attacker.localAddress);
    await started.login({ localAddress: "127.0.0.67" });
    expect(await started.statistics()).toMatchObject({ penalisedSources: 1, refusedBy: { perSourcePenalties: 3 } });
    expect(started.log).toMatch(/a source is penalised worker=\d/);

    function penalties() {
      return started.events.filter(({ event }) => event === "penalty");
    }
  });

  it("lists and proxies are heeded, and what a proxy sends behind its header arrives", async () => {
    const started = await start({ proxyProtocol: { from: "127.0.0.10" }, denyFrom: "192.0.2.66" });
    const version = "SSH-2.0-behind_the_header\r\n";
    const client = await ProxiedClient.through(started.port, `PROXY TCP4 192.0.2.7 127.0.0.1 5000 22\r\n${version}`);
    await client.readIdentification();
    await soon(async () =>
      expect(await started.connections()).toMatchObject([
        { remoteAddress: "192.0.2.7", remotePort: 5000, clientVersion: version.trim() },
      ]),
    );
    const denied = await ProxiedClient.through(started.port, "PROXY TCP4 192.0.2.66 127.0.0.1 5000 22\r\n");
    await expect(denied.stream.take(1)).rejects.toThrow(StreamEnded);
    const wrong = await ProxiedClient.through(started.port, "PRIXY TCP4 192.0.2.7 127.0.0.1 5000 22\r\n");
    await expect(wrong.stream.take(1)).rejects.toThrow(StreamEnded);
    expect((await started.statistics()).refusedBy).toMatchObject({ denyFrom: 1, proxyProtocol: 1 });
    client.reset();
    await soon(async () => expect(await started.statistics()).toMatchObject({ active: 0, startups: 0 }));
  });

  it("many sources are penalised, and each is refused", async () => {
    const perSourcePenalties = { noAuth: 600, min: 1 };
    const started = await start({ proxyProtocol: { from: "127.0.0.10" }, perSourcePenalties });
    const header = (index: number) => `PROXY TCP4 10.0.${index >> 8}.${index & 255} 127.0.0.1 5000 22\r\n`;
    const visit = async (index: number) => {
      const client = await ProxiedClient.through(started.port, header(index));
      const isServed = await client.readIdentification().then(
        () => true,
        () => false,
      );
      client.reset();
      return isServed;
    };
    const visitAll = async () => {
      let served = 0;
      for (let first = 0; first < SOURCES; first += 20) {
        const together = Array.from({ length: Math.min(20, SOURCES - first) }, (_, index) => visit(first + index));
        served += (await Promise.all(together)).filter((isServed) => isServed).length;
      }
      return served;
    };
    expect(await visitAll()).toBe(SOURCES);
    await soon(async () => expect((await started.statistics()).penalisedSources).toBe(SOURCES));
    expect(await visitAll()).toBe(0);
    expect((await started.statistics()).refusedBy.perSourcePenalties).toBe(SOURCES);
  });

  it("a socket of the file system is served beside a port", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "spindlex-workers-")), "socket");
    const started = await start({ listen: [{ port: 0, host: "127.0.0.1" }, { path }] });
    const clients = [await PacketClient.login(path, "ann", "secret"), await started.login()];
    const pids = await Promise.all(clients.map((client) => started.pidOf(client)));
    expect(new Set(pids).size).toBe(2);
    expect(await started.ask("addresses")).toEqual([{ address: "127.0.0.1", port: started.port }, { path }]);
    await started.ask("close", { grace: 0 });
    await new Promise((resolve) => connect(path).once("error", resolve));
  });
});
