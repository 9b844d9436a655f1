import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { extent } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import { StartedWorkers } from "./started-workers.js";

/** Connections in a second. */
const RATE = extent(40, 100);
const SECONDS = extent(4, 60);

interface Visit {
  readonly begun: number;
  readonly ended: number;
  /** The process that has answered; absent where the connection has failed. */
  readonly pid?: number;
  readonly error?: unknown;
}

describe("under load", () => {
  it("nobody is refused by a reload, and a killed worker takes its own connections only", async () => {
    const started = await StartedWorkers.start({
      workers: { workers: 2 },
      server: { maxStartups: false, perSourceMaxStartups: false, perSourcePenalties: false },
    });
    const before = (await started.workers()).map(({ pid }) => pid);
    const visits: Promise<Visit>[] = [];
    const visit = async (): Promise<Visit> => {
      const begun = performance.now();
      try {
        const client = await PacketClient.login(started.port, "ann", "secret", { timeout: 30_000 });
        const pid = await started.pidOf(client);
        await client.close();
        return { begun, ended: performance.now(), pid };
      } catch (error) {
        return { begun, ended: performance.now(), error };
      }
    };
    let reloading: Promise<void> | undefined;
    let isReloaded = false;
    let killed: { readonly time: number; readonly pid: number } | undefined;
    const begun = performance.now();
    const end = begun + 1000 * SECONDS;
    for (let now = begun; now < end || killed === undefined; now = performance.now()) {
      for (let due = ((now - begun) * RATE) / 1000 - visits.length; due > 0; due--) visits.push(visit());
      if (now > begun + 200 * SECONDS) {
        reloading ??= started.ask<void>("reload").then(() => {
          isReloaded = true;
        });
      }
      if (now > begun + 700 * SECONDS && isReloaded) killed ??= { time: now, pid: await killOne() };
      await delay(10);
    }
    await reloading;
    const outcomes = await Promise.all(visits);
    const failed = outcomes.filter(({ error }) => error !== undefined);
    const [{ time: killedBy = 0 } = {}] = started.events.filter(({ fields: { pid } }) => pid === killed.pid).slice(-1);
    expect(outcomes.length).toBeGreaterThan(0.9 * RATE * SECONDS);
    // Those alone that the killed worker had.
    const others = failed.filter(({ begun: from, ended: to }) => to < killed.time || from > killedBy);
    expect(others).toEqual([]);
    expect(failed.length).toBeLessThan(0.1 * outcomes.length);
    const isOld = ({ pid }: Visit) => before.includes(pid);
    expect(outcomes.some(isOld)).toBe(true);
    expect(isOld(await visit())).toBe(false);
    expect((await started.statistics()).refused).toBe(0);

    async function killOne(): Promise<number> {
      const [victim] = (await started.workers()).filter(({ state }) => state === "serving");
      process.kill(victim?.pid ?? 0, "SIGKILL");
      return victim?.pid ?? 0;
    }
  }, 200_000);
});
