import { describe, expect, it } from "vitest";
import { CheckQueue, inTurn } from "../../../src/authenticators/passwords/check-queue.js";

/** Checks that end when the test says so, in the order in which they were begun. */
class Checks {
  readonly queue: CheckQueue;
  readonly begun: string[] = [];
  readonly #end = new Map<string, () => void>();

  constructor(running: number, waiting: number) {
    this.queue = new CheckQueue({ running, waiting });
  }

  run(
    name: string,
    remoteAddress: string | undefined,
    signal = new AbortController().signal,
  ): Promise<string | undefined> {
    return inTurn(this.queue, { remoteAddress, signal }, async () => {
      this.begun.push(name);
      await new Promise<void>((resolve) => this.#end.set(name, resolve));
      return name;
    });
  }

  /** Ends what is running until nothing is. */
  async endAll(): Promise<void> {
    while (this.#end.size > 0) {
      const [[name, end] = ["", () => {}]] = this.#end;
      this.#end.delete(name);
      end();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  }
}

describe("CheckQueue", () => {
  it("runs so many at a time, and the others in their order", async () => {
    const checks = new Checks(2, 10);
    const results = ["a", "b", "c", "d"].map((name) => checks.run(name, "192.0.2.1"));
    expect(checks.begun).toEqual(["a", "b"]);
    await checks.endAll();
    expect(checks.begun).toEqual(["a", "b", "c", "d"]);
    expect(await Promise.all(results)).toEqual(["a", "b", "c", "d"]);
  });

  it("lets addresses take turns, those of one IPv6 network together", async () => {
    const checks = new Checks(1, 20);
    const from = (address: string | undefined, ...names: readonly string[]) =>
      names.map((name) => checks.run(name, address));
    const results = [
      ...from("192.0.2.1", "running", "a1", "a2", "a3"),
      ...from("2001:db8::1", "b1"),
      ...from("2001:db8::2", "b2"),
      ...from("::ffff:192.0.2.1", "a4"),
      ...from(undefined, "c1"),
      ...from("192.0.2.2", "d1"),
    ];
    await checks.endAll();
    expect(checks.begun).toEqual(["running", "a1", "b1", "c1", "d1", "a2", "b2", "a3", "a4"]);
    await Promise.all(results);
  });

  it("drops of the address with the most, the last", async () => {
    const checks = new Checks(1, 4);
    const running = checks.run("running", "192.0.2.1");
    const flood = ["a1", "a2", "a3", "a4", "a5"].map((name) => checks.run(name, "192.0.2.1"));
    expect(await flood[4]).toBeUndefined();
    const login = checks.run("b1", "192.0.2.2");
    expect(await flood[3]).toBeUndefined();
    await checks.endAll();
    expect(checks.begun).toEqual(["running", "a1", "b1", "a2", "a3"]);
    expect(await Promise.all([running, login, ...flood])).toEqual([
      "running",
      "b1",
      "a1",
      "a2",
      "a3",
      undefined,
      undefined,
    ]);
  });

  it("begins nothing for a client that is gone, and keeps no place for it", async () => {
    const checks = new Checks(1, 2);
    const gone = AbortSignal.abort();
    expect(await checks.run("gone", "192.0.2.1", gone)).toBeUndefined();
    const running = checks.run("running", "192.0.2.1");
    const leaving = new AbortController();
    const left = ["a", "b"].map((name) => checks.run(name, "192.0.2.1", leaving.signal));
    leaving.abort();
    expect(await Promise.all(left)).toEqual([undefined, undefined]);
    const stay = ["c", "d"].map((name) => checks.run(name, "192.0.2.1"));
    await checks.endAll();
    expect(checks.begun).toEqual(["running", "c", "d"]);
    expect(await Promise.all([running, ...stay])).toEqual(["running", "c", "d"]);
  });

  it("begins nothing for a client that goes as its turn comes", async () => {
    const checks = new Checks(1, 2);
    const leaving = new AbortController();
    const running = inTurn(
      checks.queue,
      { remoteAddress: undefined, signal: new AbortController().signal },
      async () => {
        await Promise.resolve();
        // Its turn is given by what runs now when it ends.
        queueMicrotask(() => leaving.abort());
      },
    );
    const left = checks.run("left", undefined, leaving.signal);
    await running;
    expect(await left).toBeUndefined();
    const next = checks.run("next", undefined);
    await checks.endAll();
    expect(await next).toBe("next");
    expect(checks.begun).toEqual(["next"]);
  });

  it("goes on after a check that fails", async () => {
    const checks = new Checks(1, 2);
    const { signal } = new AbortController();
    const failing = inTurn(checks.queue, { remoteAddress: undefined, signal }, () =>
      Promise.reject(new Error("failed")),
    );
    const next = checks.run("next", undefined);
    await expect(failing).rejects.toThrow("failed");
    await checks.endAll();
    expect(await next).toBe("next");
  });
});
