import { describe, expect, it } from "vitest";
import { LookupQueue, LookupQueueFullError } from "../../../src/forwarding/tcp/lookup-queue.js";

const lives = new AbortController().signal;

/** Lookups that end when the test says so, in the order in which they were begun. */
class Lookups {
  readonly begun: string[] = [];
  readonly queue: LookupQueue;
  readonly #ends = new Map<string, (error?: Error) => void>();

  constructor(running: number, waiting = 100) {
    const lookup = (host: string) => {
      this.begun.push(host);
      return new Promise<readonly string[]>((resolve, reject) => {
        this.#ends.set(host, (error) => (error === undefined ? resolve([`of ${host}`]) : reject(error)));
      });
    };
    this.queue = new LookupQueue(lookup, { running, waiting });
  }

  /** What is found, or why nothing is. */
  find(host: string, owner: object, signal = lives): Promise<unknown> {
    return this.queue.find(host, owner, signal).catch((error: unknown) => error);
  }

  async end(host: string, error?: Error): Promise<void> {
    this.#ends.get(host)?.(error);
    this.#ends.delete(host);
    await settled();
  }

  async endAll(): Promise<void> {
    while (this.#ends.size > 0) for (const host of [...this.#ends.keys()]) await this.end(host);
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("LookupQueue", () => {
  const [ann, bob, eve] = [{ name: "ann" }, { name: "bob" }, { name: "eve" }];

  it("runs so many together, half of them of one owner", async () => {
    const lookups = new Lookups(4);
    const found = ["a1", "a2", "a3"].map((host) => lookups.find(host, ann));
    found.push(...["b1", "b2", "b3"].map((host) => lookups.find(host, bob)));
    expect(lookups.begun).toEqual(["a1", "a2", "b1", "b2"]);
    await lookups.endAll();
    expect(await Promise.all(found)).toEqual(["a1", "a2", "a3", "b1", "b2", "b3"].map((host) => [`of ${host}`]));
  });

  it("runs one at a time where there is no more than one", async () => {
    const lookups = new Lookups(1);
    const found = ["a1", "a2"].map((host) => lookups.find(host, ann));
    expect(lookups.begun).toEqual(["a1"]);
    await lookups.endAll();
    expect(await Promise.all(found)).toEqual([["of a1"], ["of a2"]]);
  });

  it("lets owners take turns", async () => {
    const lookups = new Lookups(1);
    for (const host of ["e1", "e2", "e3", "e4"]) void lookups.find(host, eve);
    for (const host of ["a1", "a2"]) void lookups.find(host, ann);
    void lookups.find("b1", bob);
    await lookups.endAll();
    expect(lookups.begun).toEqual(["e1", "a1", "b1", "e2", "a2", "e3", "e4"]);
  });

  it("leaves the other half to others where one owner's names hang", async () => {
    const lookups = new Lookups(2);
    const leaving = new AbortController();
    const given = ["e1", "e2", "e3"].map((host) => lookups.find(host, eve, leaving.signal));
    leaving.abort("gave up");
    expect(await Promise.all(given)).toEqual(["gave up", "gave up", "gave up"]);
    const found = ["a1", "a2"].map((host) => lookups.find(host, ann));
    const late = lookups.find("e4", eve);
    await lookups.end("a1");
    await lookups.end("a2");
    expect(await Promise.all(found)).toEqual([["of a1"], ["of a2"]]);
    // Its first one has no waiter, and its thread all the same.
    expect(lookups.begun).toEqual(["e1", "a1", "a2"]);
    await lookups.end("e1");
    expect(lookups.begun).toEqual(["e1", "a1", "a2", "e4"]);
    await lookups.endAll();
    expect(await late).toEqual(["of e4"]);
  });

  it("does not look up what nobody waits for any more", async () => {
    const lookups = new Lookups(1);
    void lookups.find("a1", ann);
    const leaving = new AbortController();
    const left = lookups.find("a2", ann, leaving.signal);
    const both = [lookups.find("a3", ann, leaving.signal), lookups.find("a3", ann)];
    leaving.abort("gave up");
    expect(await left).toBe("gave up");
    await lookups.endAll();
    expect(await Promise.all(both)).toEqual(["gave up", ["of a3"]]);
    expect(lookups.begun).toEqual(["a1", "a3"]);
    expect(await lookups.find("a4", ann, leaving.signal)).toBe("gave up");
    expect(lookups.begun).toEqual(["a1", "a3"]);
  });

  it("looks up a name once for one owner, also where the first that asked has given up, and again later", async () => {
    const lookups = new Lookups(4);
    const leaving = new AbortController();
    const first = lookups.find("host", ann, leaving.signal);
    leaving.abort("gave up");
    await first;
    const found = [lookups.find("host", ann), lookups.find("host", ann)];
    expect(lookups.begun).toEqual(["host"]);
    await lookups.endAll();
    expect(await Promise.all(found)).toEqual([["of host"], ["of host"]]);
    void lookups.find("host", ann);
    expect(lookups.begun).toEqual(["host", "host"]);
    void lookups.find("host", bob);
    expect(lookups.begun).toEqual(["host", "host", "host"]);
  });

  it("tells all who wait that a name is not known, and goes on", async () => {
    const lookups = new Lookups(1);
    const found = [lookups.find("a1", ann), lookups.find("a1", ann), lookups.find("a2", ann)];
    const error = new Error("not known");
    await lookups.end("a1", error);
    await lookups.endAll();
    expect(await Promise.all(found)).toEqual([error, error, ["of a2"]]);
  });

  it("drops the last of the owner that has the most, where too many wait", async () => {
    const lookups = new Lookups(1, 3);
    const found = ["e1", "e2", "e3", "e4"].map((host) => lookups.find(host, eve));
    found.push(lookups.find("a1", ann));
    await settled();
    expect(await found[3]).toBeInstanceOf(LookupQueueFullError);
    found[3] = lookups.find("e5", eve);
    expect(await found[3]).toBeInstanceOf(LookupQueueFullError);
    await lookups.endAll();
    expect(lookups.begun).toEqual(["e1", "a1", "e2", "e3"]);
    expect(await found[4]).toEqual(["of a1"]);
  });
});
