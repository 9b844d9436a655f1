import { mkdtempSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PacketClient } from "../support/packet-client.js";
import { execRequest, passwordRequest } from "../support/packet-messages.js";
import { StreamEnded } from "../support/packet-socket.js";
import { BUSY, StartedWorkers, soon } from "./started-workers.js";

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A client that waits in a program of its own. */
async function waiting(started: StartedWorkers): Promise<PacketClient> {
  const client = await started.login();
  const channel = await client.openSession();
  client.sendPacket(execRequest(channel.id, "wait"));
  return client;
}

async function run(client: PacketClient, command: string): Promise<void> {
  const channel = await client.openSession();
  client.sendPacket(execRequest(channel.id, command));
}

async function ended(started: StartedWorkers, count: number) {
  const endings = () => started.events.filter(({ event }) => event === "workerEnded");
  await soon(() => expect(endings().length).toBeGreaterThanOrEqual(count));
  return endings().map(({ fields }) => fields);
}

const serving = (started: StartedWorkers, count: number) =>
  soon(async () => {
    const workers = await started.workers();
    expect(workers.filter(({ state }) => state === "serving")).toHaveLength(count);
    return workers;
  });

/** Clients in each phase of a connection. */
const PHASES: Readonly<Record<string, (started: StartedWorkers) => Promise<PacketClient>>> = {
  accepted: async ({ port }) => {
    const client = await PacketClient.connect(port);
    // Until a worker has greeted it, it would go to another one.
    await soon(() => expect(client.stream.socket.bytesRead).toBeGreaterThan(0));
    return client;
  },
  identified: async ({ port }) => {
    const client = await PacketClient.connect(port);
    await client.exchangeIdentifications();
    return client;
  },
  "with keys": ({ port }) => PacketClient.handshake(port),
  "asking to log in": async ({ port }) => {
    const client = await PacketClient.authenticating(port);
    client.sendPacket(passwordRequest("slow", "secret"));
    return client;
  },
  "logged in": (started) => started.login(),
  "in a session": waiting,
};

describe("a worker that is killed", BUSY, () => {
  it("takes only its own connections, in whatever phase they are, and is replaced", async () => {
    const started = await StartedWorkers.start({ workers: { minUptime: 0 }, server: { perSourceMaxStartups: 10 } });
    let killed = 0;
    for (const [phase, reach] of Object.entries(PHASES)) {
      await serving(started, 2);
      const clients = [await reach(started), await reach(started)];
      const stay = await soon(async () => {
        const workers = await started.workers();
        expect(
          workers.map(({ connections }) => connections),
          phase,
        ).toEqual([1, 1]);
        return workers;
      });
      const [victim, other] = stay;
      if (victim?.pid === undefined || other?.pid === undefined) throw new Error("no worker");
      process.kill(victim.pid, "SIGKILL");
      const outcome = await Promise.race(clients.map((client) => client.stream.closed().then(() => client)));
      const survivor = clients.find((client) => client !== outcome);
      expect(await ended(started, ++killed)).toContainEqual(
        expect.objectContaining({ pid: victim.pid, signal: "SIGKILL", connections: 1, crashed: true }),
      );
      await serving(started, 2);
      expect(survivor?.stream.socket.closed, phase).toBe(false);
      expect((await started.statistics()).startups, phase).toBe(["logged in", "in a session"].includes(phase) ? 0 : 1);
      survivor?.reset();
      await soon(async () => {
        const workers = await started.workers();
        expect(
          workers.every(({ connections }) => connections === 0),
          phase,
        ).toBe(true);
      });
      expect(await started.statistics()).toMatchObject({ startups: 0, active: 0 });
    }
    const client = await started.login();
    expect(await started.pidOf(client)).toBeGreaterThan(0);
  });

  it("while nobody else is there, lets new clients wait for the next one", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1 } });
    const [worker] = await started.workers();
    process.kill(worker?.pid ?? 0, "SIGKILL");
    // One may have gone to the worker that has ended, and is closed then.
    const outcomes = await Promise.allSettled([started.login(), started.login(), started.login()]);
    const clients = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    const refusals = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    expect(clients.length).toBeGreaterThanOrEqual(2);
    expect(
      refusals.every((error) => error instanceof StreamEnded || error.code === "EPIPE"),
      String(refusals),
    ).toBe(true);
    for (const client of clients) expect(await started.pidOf(client)).not.toBe(worker?.pid);
  });

  it("is one whose event loop stands still, one that floods the primary, and one that speaks nonsense", async () => {
    const started = await StartedWorkers.start({ workers: { unresponsiveAfter: 3, minUptime: 0 } });
    let count = 0;
    for (const command of ["hang", "flood", "nonsense", "crash"]) {
      await serving(started, 2);
      const [victim, other] = [await started.login(), await started.login()];
      const pid = await started.pidOf(victim);
      expect(await started.pidOf(other)).not.toBe(pid);
      await run(victim, command);
      await victim.stream.closed();
      expect((await ended(started, ++count)).at(-1), command).toMatchObject({ pid, connections: 1, crashed: true });
      expect(await started.pidOf(other), command).toBeGreaterThan(0);
      await other.close();
      // The next two go to one worker each.
      await soon(async () => expect((await started.workers()).map(({ connections }) => connections)).toEqual([0, 0]));
    }
    expect(started.log).toContain("a worker does not answer");
    await serving(started, 2);
    expect(await started.statistics()).toMatchObject({ active: 0, startups: 0 });
  });

  it("keeps the figures that it was heard with last", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1 } });
    const pid = await started.pidOf(await started.login());
    const { bytesReceived, bytesSent } = await started.statistics();
    expect(bytesReceived).toBeGreaterThan(500);
    process.kill(pid, "SIGKILL");
    await ended(started, 1);
    expect(await started.statistics()).toMatchObject({ accepted: 1, active: 0, bytesReceived, bytesSent });
  });

  it("cannot take the connections of others by lying about them", async () => {
    const started = await StartedWorkers.start({ server: { perSourceMaxConnections: 4 } });
    const clients = [await started.login(), await started.login(), await started.login()];
    // The truth is told by then: a login behind the lie would be that of a client that is gone.
    await started.statistics();
    await clients[0]?.exec("lies");
    await soon(async () => {
      const workers = await started.workers();
      // Those of the liar are not counted any more; that of the other one is.
      expect(workers.map(({ connections }) => connections).sort()).toEqual([0, 1]);
    });
    expect(await started.connections()).toHaveLength(3);
  });
});

describe("workers that crash one after the other", BUSY, () => {
  const file = () => join(mkdtempSync(join(tmpdir(), "spindlex-workers-")), "start.json");

  it.each([
    ["exit", "exit code 7"],
    ["crash", "signal SIGSEGV"],
  ])("end a start: %s", async (what, cause) => {
    const path = file();
    writeFileSync(path, JSON.stringify({ [what]: true }));
    const begun = StartedWorkers.start({ file: path, workers: { maxCrashes: 3 } });
    await expect(begun).rejects.toThrow(/WorkerCrashLoopError: 3 workers have ended one after the other/);
    await expect(begun).rejects.toThrow(cause);
  });

  it("end a start at once where it is an error of the program, or takes too long", async () => {
    const path = file();
    writeFileSync(path, JSON.stringify({ fail: "no such user" }));
    await expect(StartedWorkers.start({ file: path })).rejects.toThrow(
      /WorkerStartError: worker \d could not start: no such/,
    );
    writeFileSync(path, JSON.stringify({ hang: true }));
    const hanging = StartedWorkers.start({ file: path, workers: { startTime: 1 } });
    await expect(hanging).rejects.toThrow("does not listen after 1 s");
  });

  it("end everything later, with a clear error", async () => {
    const path = file();
    const started = await StartedWorkers.start({ file: path, workers: { maxCrashes: 2, workers: 1 } });
    writeFileSync(path, JSON.stringify({ exit: true }));
    const [worker] = await started.workers();
    process.kill(worker?.pid ?? 0, "SIGKILL");
    await soon(() => expect(started.ended).toMatch(/^WorkerCrashLoopError: 2 workers/));
    expect(started.log).toContain("the workers crash again and again");
    await expect(PacketClient.connect(started.port)).rejects.toThrow();
  });
});

describe("workers whose primary is killed", BUSY, () => {
  it("end", async () => {
    const started = await StartedWorkers.start();
    const client = await waiting(started);
    const pids = (await started.workers()).map(({ pid }) => pid ?? 0);
    expect(pids.map(isRunning)).toEqual([true, true]);
    started.primary.kill("SIGKILL");
    await client.stream.closed();
    await soon(() => expect(pids.map(isRunning)).toEqual([false, false]));
  });
});

describe("a socket that is reset between accept and hand-over", BUSY, () => {
  it("takes no place, and harms nobody", async () => {
    const started = await StartedWorkers.start({ server: { perSourceMaxStartups: 60 } });
    // The workers take nothing meanwhile, and so sockets wait in the primary.
    const pids = (await started.workers()).map(({ pid }) => pid ?? 0);
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    const sockets = Array.from({ length: 50 }, () => connect(started.port, "127.0.0.1").on("error", () => {}));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
    await soon(async () => expect(await started.ask<{ connections: number }[]>("workers")).toBeDefined());
    for (const socket of sockets) socket.resetAndDestroy();
    for (const pid of pids) process.kill(pid, "SIGCONT");
    const client = await started.login();
    expect(await started.pidOf(client)).toBeGreaterThan(0);
    await soon(async () => expect(await started.statistics()).toMatchObject({ active: 1, startups: 0 }));
    expect((await started.workers()).reduce((sum, { connections }) => sum + connections, 0)).toBe(1);
  });
});
