import { beforeEach, describe, expect, it, vi } from "vitest";
import { delayFailure } from "../../src/auth/failure-delay.js";

const timers = vi.hoisted(() => {
  const now = performance.now.bind(performance);
  const timers = { waits: [] as number[], skipped: 0 };
  performance.now = () => now() + timers.skipped;
  return timers;
});
vi.mock("node:timers/promises", () => ({
  setTimeout: async (milliseconds: number, _: unknown, { signal }: { signal: AbortSignal }) => {
    signal.throwIfAborted();
    timers.waits.push(milliseconds);
    timers.skipped += milliseconds;
  },
}));

beforeEach(() => {
  timers.waits.length = 0;
});

const open = new AbortController().signal;

/** What the failure would take in all when its request has taken `elapsed` milliseconds so far. */
async function totalTime(elapsed: number, floor: number): Promise<number> {
  const started = performance.now() - elapsed;
  await delayFailure(started, floor, open);
  return elapsed + (timers.waits.at(-1) ?? Number.NaN);
}

describe("delayFailure", () => {
  it.each([
    [0, 1000],
    [1, 1000],
    [400, 1000],
    [900, 1000],
    [1100, 2000],
    [1900, 2000],
    [2100, 4000],
    [9000, 16_000],
  ])("lets a failure that came after %i ms take %i ms", async (elapsed, total) => {
    expect(Math.abs((await totalTime(elapsed, 1000)) - total)).toBeLessThan(50);
  });

  it("makes failures after different times look the same", async () => {
    const quick = await totalTime(1, 500);
    const slow = await totalTime(400, 500);
    expect(Math.abs(quick - slow)).toBeLessThan(50);
  });

  it("waits for nothing without a floor", async () => {
    await delayFailure(performance.now(), 0, open);
    expect(timers.waits).toEqual([]);
  });

  it("ends with the connection", async () => {
    await expect(delayFailure(performance.now(), 1000, AbortSignal.abort())).rejects.toMatchObject({
      name: "AbortError",
    });
  });
});
