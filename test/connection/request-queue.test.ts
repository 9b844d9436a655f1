import { describe, expect, it, vi } from "vitest";
import { RequestQueue } from "../../src/connection/request-queue.js";

/** What was asked and answered, in order, and what holds the connection. */
class Recorder {
  readonly events: string[] = [];
  holds = 0;
  readonly queue = new RequestQueue(() => {
    this.holds++;
    this.events.push("hold");
    return () => {
      this.holds--;
      this.events.push("release");
    };
  });

  add(name: string, answer: () => boolean | Promise<boolean>): void {
    this.queue.add(
      () => {
        this.events.push(`ask ${name}`);
        return answer();
      },
      (given) => this.events.push(`${name}: ${given}`),
      (error) => this.events.push(`${name} failed: ${(error as Error).message}`),
    );
  }
}

const yes = () => true;
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a queue of requests", () => {
  it("answers at once what is decided at once", () => {
    const recorder = new Recorder();
    recorder.add("a", yes);
    recorder.add("b", () => false);
    expect(recorder.events).toEqual(["ask a", "a: true", "ask b", "b: false"]);
  });

  it("asks the next one only when the one before is answered", async () => {
    const recorder = new Recorder();
    const decisions: ((answer: boolean) => void)[] = [];
    const wait = () => new Promise<boolean>((resolve) => decisions.push(resolve));
    recorder.add("a", wait);
    recorder.add("b", yes);
    recorder.add("c", wait);
    recorder.add("d", yes);
    await settled();
    expect(recorder.events).toEqual(["ask a"]);
    decisions[0]?.(false);
    await settled();
    expect(recorder.events).toEqual(["ask a", "a: false", "ask b", "b: true", "ask c"]);
    decisions[1]?.(true);
    await settled();
    expect(recorder.events.slice(5)).toEqual(["c: true", "ask d", "d: true"]);
    recorder.add("e", yes);
    expect(recorder.events.slice(8)).toEqual(["ask e", "e: true"]);
  });

  it("takes a throw and a rejection for no, tells of them, and goes on", async () => {
    const recorder = new Recorder();
    recorder.add("a", () => {
      throw new Error("thrown");
    });
    recorder.add("b", () => Promise.reject(new Error("rejected")));
    recorder.add("c", yes);
    await settled();
    expect(recorder.events).toEqual([
      "ask a",
      "a failed: thrown",
      "a: false",
      "ask b",
      "b failed: rejected",
      "b: false",
      "ask c",
      "c: true",
    ]);
  });

  it.each(["at once", "later"])("goes on when what follows a decision (made %s) throws", async (when) => {
    const failed = vi.fn();
    const { queue } = new Recorder();
    queue.add(
      () => (when === "at once" ? true : Promise.resolve(true)),
      () => {
        throw new Error("a listener is broken");
      },
      failed,
    );
    const answered = vi.fn();
    queue.add(yes, answered, failed);
    await settled();
    expect(failed).toHaveBeenCalledExactlyOnceWith(new Error("a listener is broken"));
    expect(answered).toHaveBeenCalledExactlyOnceWith(true);
  });

  it("holds the connection while too many wait, once, and lets go when half are done", async () => {
    const recorder = new Recorder();
    const decisions: (() => void)[] = [];
    const wait = () => new Promise<boolean>((resolve) => decisions.push(() => resolve(true)));
    for (let index = 0; index < 33; index++) recorder.add(`${index}`, wait);
    expect(recorder.holds).toBe(0);
    for (let index = 33; index < 40; index++) recorder.add(`${index}`, wait);
    expect(recorder.holds).toBe(1);
    for (let index = 0; index < 40; index++) {
      decisions[index]?.();
      await settled();
      const waiting = 40 - index - 2;
      expect([index, recorder.holds]).toEqual([index, waiting < 16 ? 0 : 1]);
    }
    expect(recorder.events.filter((event) => event === "hold" || event === "release")).toEqual(["hold", "release"]);
  });

  it("drops what waits when it is cleared, and lets the connection go", async () => {
    const recorder = new Recorder();
    let decide: (answer: boolean) => void = () => {};
    recorder.add("a", () => new Promise((resolve) => (decide = resolve)));
    for (let index = 0; index < 40; index++) recorder.add(`${index}`, yes);
    expect(recorder.holds).toBe(1);
    recorder.queue.clear();
    expect(recorder.holds).toBe(0);
    decide(true);
    await settled();
    expect(recorder.events).toEqual(["ask a", "hold", "release", "a: true"]);
  });
});
