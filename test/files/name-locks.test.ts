import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { NameLocks, type Reach } from "../../src/files/name-locks.js";
import { extent } from "../support/extent.js";

class Overdue extends Error {}

const wait = { milliseconds: 1000, overdue: () => new Overdue() };
const base = {};

interface Change {
  readonly paths: readonly string[];
  readonly reach: Reach;
}

const path = fc
  .array(fc.constantFrom("a", "b", "A"), { minLength: 1, maxLength: 4 })
  .map((names) => `/${names.join("/")}`);
const change: fc.Arbitrary<Change> = fc.record({
  paths: fc.array(path, { minLength: 1, maxLength: 2 }),
  reach: fc.constantFrom("name", "tree"),
});

/** Whether two changes must not run together, by the definition. */
function conflict(one: Change, other: Change): boolean {
  const within = (inside: string, above: string) => `${inside}/`.toLowerCase().startsWith(`${above}/`.toLowerCase());
  return one.paths.some((mine) =>
    other.paths.some(
      (theirs) =>
        mine.toLowerCase() === theirs.toLowerCase() ||
        (one.reach === "tree" && within(theirs, mine)) ||
        (other.reach === "tree" && within(mine, theirs)),
    ),
  );
}

/** A change that runs until it is ended. */
class Running {
  readonly change: Change;
  readonly abort = new AbortController();
  state: "waiting" | "running" | "over" = "waiting";
  end = (): void => {};
  readonly done: Promise<void>;

  constructor(locks: NameLocks, given: Change) {
    this.change = given;
    const places = given.paths.map((at) => ({ base, path: at }));
    const ended = new Promise<void>((resolve) => {
      this.end = resolve;
    });
    this.done = locks
      .run(places, given.reach, { ...wait, signal: this.abort.signal }, async () => {
        this.state = "running";
        await ended;
      })
      .catch(() => {})
      .finally(() => {
        this.state = "over";
      });
  }
}

/** Lets all promises go on that wait for nothing else. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  await new Promise(setImmediate);
}

describe("changes of names", () => {
  it("run exactly when all are over that came before them and are about the same names", async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: change.map((begin) => ({ begin })) },
      { weight: 2, arbitrary: fc.nat().map((end) => ({ end })) },
      { weight: 1, arbitrary: fc.nat().map((leave) => ({ leave })) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const locks = new NameLocks();
        const all: Running[] = [];
        for (const now of steps) {
          const pick = (states: readonly string[], index: number) => {
            const able = all.filter(({ state }) => states.includes(state));
            return able[index % Math.max(1, able.length)];
          };
          if ("begin" in now) all.push(new Running(locks, now.begin));
          else if ("end" in now) pick(["running"], now.end)?.end();
          else pick(["waiting"], now.leave)?.abort.abort();
          await settled();
          for (const [index, one] of all.entries()) {
            if (one.state === "over") continue;
            const before = all.slice(0, index).filter(({ state }) => state !== "over");
            const mustWait = before.some((other) => conflict(other.change, one.change));
            expect(one.state).toBe(mustWait ? "waiting" : "running");
          }
        }
        for (const { end } of all) end();
        await Promise.all(all.map(({ done }) => done));
        expect(locks.namesIn(base)).toBe(0);
      }),
      { numRuns: extent(150, 5000) },
    );
  });

  it("wait no longer than they are to, and let others by then", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const locks = new NameLocks();
      const first = new Running(locks, { paths: ["/a"], reach: "tree" });
      const ran: string[] = [];
      const attempt = (at: string) =>
        locks.run([{ base, path: at }], "name", wait, async () => ran.push(at)).catch((error) => error);
      const second = attempt("/a/b");
      await settled();
      vi.advanceTimersByTime(999);
      const third = attempt("/a/b");
      vi.advanceTimersByTime(1);
      expect(await second).toBeInstanceOf(Overdue);
      first.end();
      await third;
      expect(ran).toEqual(["/a/b"]);
      expect(locks.namesIn(base)).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("do not wait for each other where each has two names", async () => {
    const locks = new NameLocks();
    const order: number[] = [];
    const moves = Array.from({ length: 60 }, (_, index) => {
      const paths = index % 2 === 0 ? ["/a", "/b/c"] : ["/b", "/a/c"];
      const places = paths.map((at) => ({ base, path: at }));
      return locks.run(places, "tree", wait, async () => order.push(index));
    });
    await Promise.all(moves);
    expect(order).toEqual(moves.map((_, index) => index));
  });

  it("of different trees do not wait for each other, and a failure ends one", async () => {
    const locks = new NameLocks();
    const first = new Running(locks, { paths: ["/a"], reach: "tree" });
    await locks.run([{ base: {}, path: "/a" }], "tree", wait, async () => {});
    first.end();
    const failed = locks.run([{ base, path: "/a" }], "name", wait, async () => {
      throw new Error("no disk");
    });
    await expect(failed).rejects.toThrow("no disk");
    await locks.run([{ base, path: "/a" }], "tree", wait, async () => {});
  });

  it("take a moment, however many wait for one name, and for all below it", async () => {
    const locks = new NameLocks();
    const first = new Running(locks, { paths: ["/a"], reach: "tree" });
    const start = process.cpuUsage();
    let refused = 0;
    const many = Array.from({ length: 3000 }, async (_, index) => {
      const isMove = index % 20 === 0;
      const places = [{ base, path: isMove ? "/a" : `/a/${"d/".repeat(20)}${index % 500}` }];
      const slow = { ...wait, milliseconds: 60_000 };
      await locks.run(places, isMove ? "tree" : "name", slow, async () => {}).catch(() => refused++);
    });
    first.end();
    await Promise.all(many);
    const { user, system } = process.cpuUsage(start);
    // Where each waited for each before it, it would be many times as much.
    expect((user + system) / 1e6).toBeLessThan(4);
    expect(refused).toBe(150 - 127);
    expect(locks.namesIn(base)).toBe(0);
  });

  it("are refused where a thousand are about one name", async () => {
    const locks = new NameLocks();
    const first = new Running(locks, { paths: ["/a"], reach: "name" });
    const attempts = Array.from({ length: 1100 }, () =>
      locks
        .run(
          [
            { base, path: "/b" },
            { base, path: "/a" },
          ],
          "name",
          wait,
          async () => "done",
        )
        .catch((error) => error),
    );
    first.end();
    const results = await Promise.all(attempts);
    expect(results.filter((result) => result === "done").length).toBe(999);
    expect(results.at(-1)).toBeInstanceOf(Overdue);
    expect(locks.namesIn(base)).toBe(0);
  });
});
