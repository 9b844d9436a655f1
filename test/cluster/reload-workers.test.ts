import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { extent } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import { StreamEnded } from "../support/packet-socket.js";
import { BUSY, StartedWorkers, soon } from "./started-workers.js";

const RELOADS = extent(4, 50);

const newFile = () => join(mkdtempSync(join(tmpdir(), "spindlex-workers-")), "start.json");

const pids = async (started: StartedWorkers, state = "serving") =>
  (await started.workers()).filter((worker) => worker.state === state).map(({ pid }) => pid);

describe("a reload of workers", BUSY, () => {
  it("starts others, while old sessions go on to their end", async () => {
    const started = await StartedWorkers.start();
    const before = await pids(started);
    const old = [await started.login(), await started.login()];
    await started.ask("reload");
    const after = await pids(started);
    expect(after).toHaveLength(2);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    expect(await pids(started, "retiring")).toEqual(before);
    for (const client of old) expect(before).toContain(await started.pidOf(client));
    const fresh = await started.login();
    expect(after).toContain(await started.pidOf(fresh));
    expect((await started.statistics()).active).toBe(3);
    for (const client of old) await client.close();
    await soon(async () => expect(await pids(started, "retiring")).toEqual([]));
    expect(started.events.filter(({ event }) => event === "workerEnded").map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ code: 0, crashed: false, connections: 0 }),
      expect.objectContaining({ code: 0, crashed: false, connections: 0 }),
    ]);
    expect(await started.statistics()).toMatchObject({ accepted: 3, active: 1 });
  });

  it("ends old sessions at the deadline", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1, drainTime: 0.5 } });
    const client = await started.login();
    await started.ask("reload");
    expect(await client.waitDisconnect()).toMatchObject({ message: "the server is shutting down" });
    await soon(async () => expect(await started.workers()).toHaveLength(1));
  });

  it("puts new limits in force, and keeps counts and penalties", async () => {
    const file = newFile();
    const started = await StartedWorkers.start({
      file,
      server: { perSourcePenalties: { noAuth: 60, min: 1 }, perSourcePenaltyExemptList: "127.0.0.1" },
    });
    const client = await started.login();
    const bad = await PacketClient.handshake(started.port, { localAddress: "127.0.0.66" });
    await bad.close();
    await soon(async () => expect((await started.statistics()).penalisedSources).toBe(1));
    writeFileSync(file, JSON.stringify({ server: { denyFrom: "127.0.0.77", maxConnectionsPerUser: 1 } }));
    await started.ask("reload");
    for (const localAddress of ["127.0.0.66", "127.0.0.77"]) {
      const refused = await PacketClient.connect(started.port, { localAddress });
      await expect(refused.stream.take(1)).rejects.toThrow(StreamEnded);
    }
    // The session of before counts, though an old worker has it.
    await expect(started.login()).rejects.toThrow("too many connections of this user");
    await client.close();
    await soon(() => started.login());
    expect((await started.statistics()).refusedBy).toMatchObject({ denyFrom: 1, perSourcePenalties: 1 });
  });

  it("that fails leaves everything as it was", async () => {
    const file = newFile();
    const started = await StartedWorkers.start({ file });
    const before = await pids(started);
    writeFileSync(file, JSON.stringify({ fail: "the key is missing", server: { denyFrom: "127.0.0.1" } }));
    await expect(started.ask("reload")).rejects.toThrow(
      /WorkerStartError: worker 3 could not start: the key is missing/,
    );
    // A worker that listens, with wrong settings.
    writeFileSync(file, JSON.stringify({ server: { perSourceNetBlockSize: { ipv4: 8 } } }));
    await expect(started.ask("reload")).rejects.toThrow("perSourceNetBlockSize: cannot be changed by a reload");
    writeFileSync(file, JSON.stringify({ server: { denyFrom: "127.0.0.1", port: 1, bindAddress: "192.0.2.1" } }));
    await expect(started.ask("reload")).rejects.toThrow(/192\.0\.2\.1/);
    writeFileSync(file, JSON.stringify({ exit: true }));
    await expect(started.ask("reload")).rejects.toThrow("exit code 7");
    expect(await pids(started)).toEqual(before);
    await soon(async () => expect(await started.workers()).toHaveLength(2));
    expect(before).toContain(await started.pidOf(await started.login()));
    writeFileSync(file, JSON.stringify({}));
    await started.ask("reload");
    expect(before).not.toContain(await started.pidOf(await started.login()));
  });

  it("waits for another, and those that wait are one", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1 } });
    await Promise.all([1, 2, 3, 4].map(() => started.ask("reload")));
    await soon(() => expect(started.log.match(/the workers were replaced/g)).toHaveLength(2));
    await soon(async () => expect(await started.workers()).toMatchObject([{ worker: 3 }]));
  });
});

describe("reloads one after the other", BUSY, () => {
  it("keep a session, and leave no other worker behind", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1 } });
    const client = await started.login();
    const pid = await started.pidOf(client);
    for (let count = 0; count < RELOADS; count++) await started.ask("reload");
    expect(await started.pidOf(client)).toBe(pid);
    await soon(async () => expect(await started.workers()).toHaveLength(2));
    expect((await started.statistics()).active).toBe(1);
  });

  it("let only so many workers go on with old sessions: the oldest has to end", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1 } });
    const clients = [];
    for (let count = 0; count < 5; count++) {
      clients.push(await started.login());
      await started.ask("reload");
    }
    const [oldest, ...others] = clients;
    expect(await oldest?.waitDisconnect()).toMatchObject({ message: "the server is shutting down" });
    for (const client of others) expect((await client.exec("pid")).exitStatus).toBe(0);
  });
});

describe("workers that are told to end", BUSY, () => {
  /** Resolves when nobody new can connect. */
  const freed = (started: StartedWorkers) =>
    soon(async () => {
      expect(started.log).toContain("the workers take no new connections");
      expect(await started.ask("addresses")).toEqual([]);
    });

  it("take nobody new, and end when the last connection of all has left", async () => {
    const started = await StartedWorkers.start();
    const [client, other] = [await started.login(), await started.login()];
    await expect(started.ask("stopListening", { dead: 1 })).rejects.toThrow(/dead: is not an option/);
    let isOver = false;
    const over = started.ask("stopListening", { deadline: false }).then(() => {
      isOver = true;
    });
    await freed(started);
    await expect(PacketClient.connect(started.port)).rejects.toThrow();
    expect(await pids(started, "retiring")).toHaveLength(2);
    await client.close();
    await soon(async () => expect(await started.workers()).toHaveLength(1));
    expect((await other.exec("pid")).exitStatus).toBe(0);
    expect(isOver).toBe(false);
    await other.close();
    await over;
    await soon(() => expect(started.primary.exitCode).toBe(0));
  });

  it("end the connections that are left at the earliest of several deadlines", async () => {
    const started = await StartedWorkers.start();
    const client = await started.login();
    const over = [false, 0.2].map((deadline) => started.ask("stopListening", { deadline }));
    expect(await client.waitDisconnect()).toMatchObject({ message: "the server is shutting down" });
    await Promise.all(over);
    await soon(() => expect(started.primary.exitCode).toBe(0));
  });

  it("can be closed before", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1 } });
    const client = await started.login();
    const over = started.ask("stopListening");
    await freed(started);
    const ended = started.ask("close");
    expect(await client.waitDisconnect()).toMatchObject({ message: "the server is shutting down" });
    await Promise.all([over, ended]);
  });

  it("still serve a client that was accepted before, and waits for a worker", async () => {
    const started = await StartedWorkers.start({
      workers: { workers: 1 },
      server: { perSourceMaxStartups: 40, maxStartups: false },
    });
    const pid = (await started.workers())[0]?.pid ?? 0;
    process.kill(pid, "SIGSTOP");
    const clients = await Promise.all(Array.from({ length: 40 }, () => PacketClient.connect(started.port)));
    // All of them are in when one more is refused.
    await (await PacketClient.connect(started.port)).stream.closed();
    await soon(() => expect(started.events.some(({ event }) => event === "refused")).toBe(true));
    const over = started.ask("stopListening");
    await freed(started);
    process.kill(pid, "SIGCONT");
    for (const client of clients) {
      await client.exchangeIdentifications();
      await client.close();
    }
    await over;
  });
});
