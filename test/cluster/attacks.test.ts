import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { PacketType } from "../../src/sftp/codec/constants.js";
import { PacketClient } from "../support/packet-client.js";
import { passwordRequest } from "../support/packet-messages.js";
import { PacketSocket } from "../support/packet-socket.js";
import { defaults } from "../support/packet-transport.js";
import { SFTPChannel } from "../support/sftp-channel.js";
import { extended, init, NO_ATTRIBUTES, request } from "../support/sftp-packets.js";
import { StartedWorkers } from "./started-workers.js";

class ProxiedClient extends PacketClient {
  static async begin(port: number): Promise<ProxiedClient> {
    const stream = await PacketSocket.connect(port, 20_000, "127.0.0.10");
    stream.socket.setNoDelay(true);
    return new ProxiedClient(stream, { ...defaults, timeout: 20_000 });
  }

  /** What it has sent first was sent. */
  async goOn(): Promise<void> {
    await this.readIdentification();
    await this.exchangeKeys();
  }
}

describe("a program that a client runs in a worker", () => {
  it("inherits no way to other processes", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1 } });
    const client = await started.login();
    const lines = (await client.exec("inherited")).stdout.toString().split("\n");
    const sockets = lines.flatMap((line) => / (\d+) -> socket:/.exec(line)?.[1] ?? []);
    expect(sockets.filter((descriptor) => Number(descriptor) > 2)).toEqual([]);
    const told = /^(NODE_CHANNEL|NODE_UNIQUE|SPINDLEX_WORKER|LISTEN_|NOTIFY_|WATCHDOG_)/;
    expect(lines.filter((line) => told.test(line))).toEqual([]);
  });
});

describe("a reload while somebody logs in", () => {
  it("counts them by the new limits, though an old worker has them", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "spindlex-workers-")), "start.json");
    const started = await StartedWorkers.start({ file });
    const clients = await Promise.all([1, 2].map(() => PacketClient.authenticating(started.port)));
    writeFileSync(file, JSON.stringify({ server: { maxConnectionsPerUser: 1 } }));
    await started.ask("reload");
    const [first, second] = clients;
    await first?.authenticate(passwordRequest("ann", "secret"));
    await vi.waitFor(async () => expect(await started.statistics()).toMatchObject({ startups: 1 }));
    second?.sendPacket(passwordRequest("ann", "secret"));
    await second?.waitDisconnect();
    await vi.waitFor(async () => expect(await started.statistics()).toMatchObject({ active: 1, startups: 0 }));
    expect((await started.statistics()).refusedBy).toMatchObject({ maxConnectionsPerUser: 1 });
    expect((await first?.exec("pid"))?.exitStatus).toBe(0);
  });

  it("refuses another mode of a socket that is listened on", async () => {
    const folder = mkdtempSync(join(tmpdir(), "spindlex-workers-"));
    const [path, file] = [join(folder, "socket"), join(folder, "start.json")];
    const port = { port: 0, host: "127.0.0.1" };
    const started = await StartedWorkers.start({ file, server: { listen: [port, { path, mode: 0o666 }] } });
    writeFileSync(file, JSON.stringify({ server: { listen: [port, { path, mode: 0o600 }] } }));
    await expect(started.ask("reload")).rejects.toThrow("listen[1].path: cannot be changed by a reload");
    await PacketClient.login(path, "ann", "secret");
  });
});

describe("sockets on their way to workers", () => {
  it("bring what followed the header of a proxy whole, however it was cut, also while no worker takes them", async () => {
    const started = await StartedWorkers.start({
      server: { proxyProtocol: { from: "127.0.0.10" }, perSourceMaxStartups: false, maxStartups: false },
    });
    const [first, second] = await started.workers();
    const pids = [first, second].map((worker) => Number(worker?.pid));
    const begun = Array.from({ length: 40 }, async (_, index) => {
      const client = await ProxiedClient.begin(started.port);
      const header = `PROXY TCP4 192.0.2.7 127.0.0.1 ${5000 + index} 22\r\n`;
      const bytes = Buffer.from(header + defaults.identification);
      const cut = 1 + ((index * 7) % (bytes.length - 1));
      client.sendRaw(bytes.subarray(0, cut));
      await setTimeout(index % 5);
      client.sendRaw(bytes.subarray(cut));
      return client;
    });
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    const clients = await Promise.all(begun);
    for (const pid of pids) process.kill(pid, "SIGCONT");
    const outcomes = await Promise.allSettled(clients.map((client) => client.goOn()));
    expect(outcomes.filter(({ status }) => status === "rejected")).toEqual([]);
    expect(await started.statistics()).toMatchObject({ accepted: 40, startups: 40, refused: 0 });
    for (const client of clients) client.reset();
    await vi.waitFor(async () => expect(await started.statistics()).toMatchObject({ active: 0, startups: 0 }));
  });

  it("bring what comes while they are under way, which this process must not read", async () => {
    const started = await StartedWorkers.start({
      workers: { workers: 1 },
      server: { proxyProtocol: { from: "127.0.0.10" } },
    });
    const pid = (await started.workers())[0]?.pid ?? 0;
    process.kill(pid, "SIGSTOP");
    const client = await ProxiedClient.begin(started.port);
    client.sendRaw(Buffer.from("PROXY TCP4 192.0.2.7 127.0.0.1 5000 22\r\n"));
    for (const part of [defaults.identification.slice(0, 5), defaults.identification.slice(5)]) {
      await setTimeout(150);
      client.sendRaw(Buffer.from(part));
    }
    process.kill(pid, "SIGCONT");
    await client.goOn();
  });
});

describe("a worker that stands still", () => {
  it("gets no more connections, and the one that it does not take goes to another one", async () => {
    const started = await StartedWorkers.start({ server: { perSourceMaxStartups: 100 } });
    const [first, second] = await started.workers();
    const [stopped, other] = [first?.pid ?? 0, second?.pid ?? 0];
    process.kill(stopped, "SIGSTOP");
    const visit = async () => {
      const client = await started.login();
      return { client, pid: await started.pidOf(client) };
    };
    const visits = await Promise.all(Array.from({ length: 20 }, visit));
    expect(visits.map(({ pid }) => pid)).toEqual(visits.map(() => other));
    expect(started.log).toContain("a worker has not taken a connection");
    process.kill(stopped, "SIGCONT");
    // It drops what has come too late, and takes what comes from now on.
    await vi.waitFor(async () => expect((await visit()).pid).toBe(stopped), 6000);
    for (const { client, pid } of visits) expect(await started.pidOf(client)).toBe(pid);
    const { accepted, active } = await started.statistics();
    expect(accepted).toBe(active);
  });

  it("loses nobody where it goes on before another one has got the connection", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1 } });
    // From here on the primary looks each second for what was not taken.
    const { client, pid } = await started
      .login()
      .then(async (client) => ({ client, pid: await started.pidOf(client) }));
    await setTimeout(500);
    process.kill(pid, "SIGSTOP");
    const login = started.login();
    await setTimeout(1200);
    process.kill(pid, "SIGCONT");
    expect(await started.pidOf(await login)).toBe(pid);
    expect(await started.pidOf(client)).toBe(pid);
    expect(await started.statistics()).toMatchObject({ accepted: 2, active: 2, startups: 0 });
  });

  it("serves the clients that have come meanwhile, where it is the only one", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1 } });
    const pid = (await started.workers())[0]?.pid ?? 0;
    process.kill(pid, "SIGSTOP");
    const clients = Promise.all([started.login(), started.login(), started.login()]);
    await vi.waitFor(() => expect(started.log).toContain("a worker has not taken a connection"), 6000);
    process.kill(pid, "SIGCONT");
    for (const client of await clients) expect(await started.pidOf(client)).toBe(pid);
    expect(await started.statistics()).toMatchObject({ accepted: 3, active: 3, startups: 0 });
  });
});

describe.runIf(process.platform === "linux")("a worker without file descriptors", () => {
  it("is seen, and its connections go to others", async () => {
    const started = await StartedWorkers.start({ server: { perSourceMaxStartups: 100 } });
    const [first, second] = await started.workers();
    const [poor, other] = [first?.pid ?? 0, second?.pid ?? 0];
    const limit = (count: number) => execFileSync("prlimit", ["--pid", `${poor}`, `--nofile=${count}:`]);
    limit(3);
    const clients = await Promise.all(Array.from({ length: 10 }, () => started.login()));
    for (const client of clients) expect(await started.pidOf(client)).toBe(other);
    expect(started.log).toMatch(/a worker cannot take a connection worker=1 .*no file descriptor left/);
    limit(1024);
    await vi.waitFor(async () => expect(await started.pidOf(await started.login())).toBe(poor), 6000);
  });

  it("closes no connection while its time to wait is not over, where there is no other worker", async () => {
    const started = await StartedWorkers.start({ workers: { workers: 1 } });
    const pid = (await started.workers())[0]?.pid ?? 0;
    const limit = (count: number) => execFileSync("prlimit", ["--pid", `${pid}`, `--nofile=${count}:`]);
    limit(3);
    const login = started.login();
    await vi.waitFor(() => expect(started.log).toContain("a worker cannot take a connection"), 6000);
    limit(1024);
    expect(await started.pidOf(await login)).toBe(pid);
  });
});

describe("workers that listen no more", () => {
  it("have a successor that does not listen either", async () => {
    const started = await StartedWorkers.start({ workers: { minUptime: 0 } });
    const client = await started.login();
    const other = await started.login();
    const [pid, otherPid] = [await started.pidOf(client), await started.pidOf(other)];
    expect(pid).not.toBe(otherPid);
    const over = started.ask("stopListening");
    await vi.waitFor(async () => expect(await started.ask("addresses")).toEqual([]));
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => expect(started.events.some(({ event }) => event === "workerEnded")).toBe(true));
    await expect(started.ask("reload")).rejects.toThrow("the workers are ending");
    expect((await other.exec("pid")).exitStatus).toBe(0);
    expect(await started.ask("addresses")).toEqual([]);
    await expect(PacketClient.connect(started.port)).rejects.toThrow();
    expect(await started.workers()).toMatchObject([{ pid: otherPid }]);
    await other.close();
    await over;
  });
});

describe("a client that keeps the primary busy with its files", () => {
  it("keeps nobody from logging in", async () => {
    const folder = mkdtempSync(join(tmpdir(), "spindlex-workers-"));
    const started = await StartedWorkers.start({
      workers: { workers: 1 },
      folder,
      server: { maxConnectionsPerUser: 10 },
    });
    const files = Array.from({ length: 250 }, (_, file) => file);
    const clients = await Promise.all([started.login(), started.login()]);
    const channels: SFTPChannel[] = [];
    for (const client of clients) {
      for (let count = 0; count < 10; count++) channels.push(await SFTPChannel.open(client, 2 ** 20));
    }
    for (const index of channels.keys()) for (const file of files) writeFileSync(join(folder, `${index}-${file}`), "");
    // What opens files waits for those who rename some.
    for (const [index, channel] of channels.entries()) {
      const requests = files.map((file) =>
        index % 10 === 0
          ? extended(file, "posix-rename@openssh.com", `/${index}-${file}`, `/${index}-${file}-new`)
          : request(PacketType.OPEN, file, `/${index}-${file}`, 1, NO_ATTRIBUTES),
      );
      await channel.send(Buffer.concat([init(), ...requests]));
    }
    const logins: PromiseSettledResult<PacketClient>[] = [];
    for (let count = 0; count < 4; count++) logins.push(...(await Promise.allSettled([started.login({}, "bob")])));
    expect(logins.filter(({ status }) => status === "rejected")).toEqual([]);
    expect(started.log).not.toContain("calls to answer already");
  });
});
