import { describe, expect, it, vi } from "vitest";
import { PacketClient } from "../support/packet-client.js";
import { StartedWorkers } from "./started-workers.js";

const TOO_LONG = Symbol("too long");

const within = <Value>(milliseconds: number, promise: Promise<Value>) =>
  Promise.race([promise, new Promise<typeof TOO_LONG>((resolve) => setTimeout(resolve, milliseconds, TOO_LONG))]);

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

describe("a worker that stands still", () => {
  it("gets no more connections once it does not take those that it was sent", async () => {
    const started = await StartedWorkers.start({ server: { perSourceMaxStartups: 100 } });
    const [first] = await started.workers();
    process.kill(Number(first?.pid), "SIGSTOP");
    const served = async () => {
      const client = await PacketClient.connect(started.port);
      return (await within(1000, client.exchangeIdentifications())) !== TOO_LONG;
    };
    await vi.waitFor(async () => {
      const all = await Promise.all(Array.from({ length: 8 }, served));
      expect(all.filter((isServed) => !isServed)).toEqual([]);
    }, 6000);
    expect((await started.workers())[0]?.state).toBe("serving");
  });
});

describe("workers that listen no more", () => {
  it("have a successor that does not listen either", async () => {
    const started = await StartedWorkers.start({ workers: { minUptime: 0 } });
    const client = await started.login();
    const other = await started.login();
    const [pid, otherPid] = [await started.pidOf(client), await started.pidOf(other)];
    expect(pid).not.toBe(otherPid);
    await started.ask("stopListening");
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => expect(started.events.some(({ event }) => event === "workerEnded")).toBe(true));
    await expect(started.ask("reload")).rejects.toThrow("the workers are ending");
    expect((await other.exec("pid")).exitStatus).toBe(0);
    expect(await started.ask("addresses")).toEqual([]);
    await expect(PacketClient.connect(started.port)).rejects.toThrow();
    expect(await started.workers()).toMatchObject([{ pid: otherPid }]);
  });
});
