import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { serveWithWorkers } from "../../src/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { PacketClient } from "../support/packet-client.js";
import { globalRequest } from "../support/packet-messages.js";
import { temporaryFolder } from "../support/tools.js";
import { BUSY, StartedWorkers, soon } from "./started-workers.js";
import type { ProgramOptions } from "./workers-process.js";

const folder = temporaryFolder();

describe("the options of workers", () => {
  it.each(["maxConnectionsPerUser", "hostKey", "serverKey", "session", "port"])(
    "are not those of the server, which are named as such: %s",
    async (name) => {
      const options = { workers: 1, start: () => {}, [name]: 1 };
      await expect(serveWithWorkers(options)).rejects.toMatchObject({
        name: "ConfigurationError",
        option: name,
        message: `${name}: is an option of the server: give it to the one that \`start\` makes`,
      });
    },
  );
});

describe("workers", BUSY, () => {
  it("serve on one place, each connection by the one that has the fewest", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 3 } });
    const clients: Awaited<ReturnType<typeof started.login>>[] = [];
    while (clients.length < 6) clients.push(await started.login());
    const pids = await Promise.all(clients.map((client) => started.pidOf(client)));
    const workers = await started.workers();
    expect(workers.map(({ connections }) => connections)).toEqual([2, 2, 2]);
    expect([...new Set(pids)].sort()).toEqual(workers.map(({ pid }) => pid).sort());
    expect(await started.statistics()).toMatchObject({ accepted: 6, active: 6, authenticated: 6, startups: 0 });
    const connections = await started.connections();
    expect(new Set(connections.map(({ id }) => id)).size).toBe(6);
    const { workers: parts } = await started.statistics();
    expect(parts.map(({ worker, active }) => [worker, active])).toEqual(workers.map(({ worker }) => [worker, 2]));
    for (const [index, client] of clients.entries()) {
      const { worker } = workers.find(({ pid }) => pid === pids[index]) ?? {};
      expect((await client.exec("worker")).stdout.toString()).toBe(`${worker}`);
    }
    const [{ id } = { id: 0 }] = connections;
    expect(await started.ask("closeConnection", id)).toBe(true);
    expect(await started.ask("closeConnection", id + 1000)).toBe(false);
    await soon(async () => expect(await started.statistics()).toMatchObject({ active: 5 }));
    for (const client of clients) client.close();
    await soon(async () => expect(await started.statistics()).toMatchObject({ accepted: 6, active: 0 }));
  });

  it("that report a socket themselves get the next one, where Node.js tells nothing of those it has handed over", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 2 }, unacknowledged: true });
    const clients: Awaited<ReturnType<typeof started.login>>[] = [];
    while (clients.length < 6) clients.push(await started.login());
    expect((await started.workers()).map(({ connections }) => connections)).toEqual([3, 3]);
    expect(await started.statistics()).toMatchObject({ accepted: 6, active: 6, authenticated: 6, startups: 0 });
    expect(started.log).not.toContain("has not taken a connection");
    for (const client of clients) expect(await started.pidOf(client)).toBeGreaterThan(0);
  });

  it("have ports of their own for clients that forward them", async () => {
    const started = await StartedWorkers.start();
    const forward = async (port: number) => {
      const client = await started.login();
      const fields = new Writer().writeString("127.0.0.1").writeUint32(port).toBuffer();
      client.sendPacket(globalRequest("tcpip-forward", "want-reply", fields));
      const reply = await client.nextPacket();
      return reply[0] === MessageNumber.REQUEST_SUCCESS ? new Reader(reply, 1).readUint32() : undefined;
    };
    const [one, other] = [await forward(0), await forward(0)];
    expect(one).toBeGreaterThan(0);
    expect(other).toBeGreaterThan(0);
    // Node.js would give the second worker the port of the first.
    expect(other).not.toBe(one);
    expect(await forward(one ?? 0)).toBeUndefined();
  });

  it("tell the addresses that they listen on, later ones included", async () => {
    const started = await StartedWorkers.start();
    await (await started.login()).exec("listen");
    await soon(async () => {
      const addresses = await started.ask<{ port: number }[]>("addresses");
      expect(addresses).toEqual([started.port, expect.any(Number)].map((port) => ({ address: "127.0.0.1", port })));
      const client = await PacketClient.login(addresses[1]?.port ?? 0, "ann", "secret");
      await client.close();
    });
    expect(await started.ask("port")).toBe(started.port);
  });

  it("listen later on all places that they ask for, or on none", async () => {
    const started = await StartedWorkers.start();
    const path = join(folder, "late.sock");
    const listenOn = async (...places: unknown[]) => {
      const client = await started.login();
      return (await client.exec(`listen-on ${JSON.stringify(places)}`)).stdout.toString();
    };
    const taken = { host: "127.0.0.1", port: started.port };
    expect(await listenOn({ path }, { host: "127.0.0.1", port: 0 }, taken)).toContain("is already in use");
    expect(await started.ask("addresses")).toHaveLength(1);
    expect(existsSync(path)).toBe(false);
    // What another worker has there stays.
    expect(await listenOn({ path })).toBe("listening");
    expect(await listenOn({ path }, taken)).toContain("is already in use");
    expect(await started.ask("addresses")).toHaveLength(2);
    expect(existsSync(path)).toBe(true);
  });

  it("that do not wait until they listen do not start, and are told what to do", async () => {
    const file = join(folder, "start.json");
    writeFileSync(file, JSON.stringify({ forget: true }));
    await expect(StartedWorkers.start({ file })).rejects.toThrow(
      /WorkerStartError: worker \d could not start: start has ended and nothing listens: await server.listen\(…\) in it/,
    );
  });

  it("have no sockets of systemd, and are told which process has them", async () => {
    const cure = "systemdSockets: a worker has none: call it in `prepare`, and listen on the data that `start` gets";
    const file = join(folder, "sockets.json");
    writeFileSync(file, JSON.stringify({ sockets: true }));
    const start = (options: ProgramOptions) =>
      StartedWorkers.start({ ...options, workers: { workers: 1, maxCrashes: 1 } });
    await Promise.all([{ file }, { sockets: true }].map((options) => expect(start(options)).rejects.toThrow(cure)));
  });
});
