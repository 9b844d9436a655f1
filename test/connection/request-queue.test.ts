import { describe, expect, it, vi } from "vitest";
import { RequestQueue, WaitingBudget } from "../../src/connection/request-queue.js";
import { Deferred } from "../attack/deferred.js";
import { settled } from "./test-channel.js";

/** What was asked and answered, in order, and what holds the connection. */
class Recorder {
  readonly events: string[] = [];
  holds = 0;
  readonly budget = new WaitingBudget(() => {
    this.holds++;
    this.events.push("hold");
    return () => {
      this.holds--;
      this.events.push("release");
    };
  });
  readonly queue = new RequestQueue(this.budget);

  add(name: string, answer: () => boolean | Promise<boolean>, bytes = 10, queue = this.queue): void {
    queue.add(
      bytes,
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
const never = () => new Promise<boolean>(() => {});
const nothing = () => {};

describe("a queue of requests", () => {
  it("answers at once what is decided at once", () => {
    const recorder = new Recorder();
    recorder.add("a", yes);
    recorder.add("b", () => false);
    expect(recorder.events).toEqual(["ask a", "a: true", "ask b", "b: false"]);
  });

  it("asks the next one only when the one before is answered", async () => {
    const recorder = new Recorder();
    const [first, third] = [new Deferred<boolean>(), new Deferred<boolean>()];
    recorder.add("a", () => first.promise);
    recorder.add("b", yes);
    recorder.add("c", () => third.promise);
    recorder.add("d", yes);
    await settled();
    expect(recorder.events).toEqual(["ask a"]);
    first.resolve(false);
    await settled();
    expect(recorder.events).toEqual(["ask a", "a: false", "ask b", "b: true", "ask c"]);
    third.resolve(true);
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
    const fail = () => {
      throw new Error("a listener is broken");
    };
    queue.add(1, () => (when === "at once" ? true : Promise.resolve(true)), fail, failed);
    const answered = vi.fn();
    queue.add(1, yes, answered, failed);
    await settled();
    expect(failed).toHaveBeenCalledExactlyOnceWith(new Error("a listener is broken"));
    expect(answered).toHaveBeenCalledExactlyOnceWith(true);
  });

  it.each([false, true])("drops what waits when it is cleared, and tells when it is idle (busy: %j)", async (busy) => {
    const recorder = new Recorder();
    const decision = new Deferred<boolean>();
    const idle = vi.fn();
    if (busy) {
      recorder.add("a", () => decision.promise);
      recorder.add("b", yes);
    }
    recorder.queue.clear(idle);
    expect(idle).toHaveBeenCalledTimes(busy ? 0 : 1);
    decision.resolve(true);
    await settled();
    expect(idle).toHaveBeenCalledOnce();
    expect(recorder.events).toEqual(busy ? ["ask a", "a: true"] : []);
  });
});

describe("a budget of waiting requests", () => {
  const LIMIT = 128 * 1024;

  it("holds the connection once while too many bytes wait, until half are done", async () => {
    const recorder = new Recorder();
    const decisions = Array.from({ length: 10 }, () => new Deferred<boolean>());
    const held = decisions.map((decision, index) => {
      recorder.add(`${index}`, () => decision.promise, LIMIT / 8);
      return recorder.holds;
    });
    // The first does not wait, and each costs a little beside its own bytes.
    expect(held).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    const left: number[] = [];
    for (const decision of decisions) {
      decision.resolve(true);
      await settled();
      left.push(recorder.holds);
    }
    // Below the half for good, once no more than three of them wait.
    expect(left).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    expect(recorder.events.filter((event) => event === "hold" || event === "release")).toEqual(["hold", "release"]);
  });

  it("counts what small requests cost", () => {
    const recorder = new Recorder();
    let count = 0;
    while (recorder.holds === 0 && count < 10_000) {
      recorder.add("x", never, 0);
      count++;
    }
    expect(count).toBeLessThan(200);
  });

  it("is shared by queues, and given back by those that are cleared", () => {
    const recorder = new Recorder();
    const other = new RequestQueue(recorder.budget);
    recorder.add("decided on", never, LIMIT);
    recorder.add("decided on", never, LIMIT, other);
    expect(recorder.holds).toBe(0);
    recorder.add("waits", never, LIMIT / 2);
    recorder.add("waits", never, LIMIT / 2, other);
    expect(recorder.holds).toBe(1);
    recorder.queue.clear(nothing);
    expect(recorder.holds).toBe(1);
    other.clear(nothing);
    expect(recorder.holds).toBe(0);
  });

  it("is never held by what is decided at once", () => {
    const recorder = new Recorder();
    for (let index = 0; index < 1000; index++) recorder.add("x", yes, LIMIT / 4);
    expect(recorder.events).not.toContain("hold");
  });
});
