import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type FileAccess,
  type Footprint,
  type OrderedRequest,
  onlyReads,
  RequestOrder,
} from "../../../src/sftp/server/request-order.js";
import { Deferred } from "../../attack/deferred.js";

const FILE_SIZE = 8;
const FILES = ["a", "b", "c"];

/** What requests work on: bytes of files of one size, and one value for all names. */
interface World {
  readonly files: ReadonlyMap<string, number[]>;
  /** What was done last by the requests that run alone. */
  readonly alone: Map<string, number>;
  names: number;
}

function newWorld(): World {
  const files = new Map(FILES.map((name) => [name, new Array<number>(FILE_SIZE).fill(0)]));
  return { files, alone: new Map(), names: 0 };
}

/** Does what its footprint says, and returns what it saw. */
function perform(world: World, { names, files = [], alone }: Footprint, number: number): unknown[] {
  const seen: unknown[] = [];
  if (alone !== undefined) {
    seen.push(world.alone.get(alone));
    world.alone.set(alone, number);
  }
  for (const { identity, access, start, end } of files) {
    const content = world.files.get(identity) ?? [];
    if (access === "read") seen.push(content.slice(start, end));
    else content.fill(number, start, end);
  }
  if (names === "read") {
    // Attributes show what is in a file.
    seen.push(
      world.names,
      [...world.files.values()].map((content) => [...content]),
    );
  }
  if (names === "change" || names === "change-content") world.names = number;
  if (names === "change-content") for (const content of world.files.values()) content.fill(number);
  return seen;
}

/** Adds a request that does `task`, and finishes when that is done: at once where it makes no promise. */
function run(order: RequestOrder, footprint: Footprint, task: () => Promise<void> | undefined): void {
  const request: OrderedRequest = {
    footprint,
    readsOnly: onlyReads(footprint),
    state: "waiting",
    start() {
      const done = task();
      if (done === undefined) order.finish(request);
      else void done.then(() => order.finish(request));
    },
  };
  order.add(request);
}

/** Lets the scheduler run what can run now. */
async function turn(): Promise<void> {
  for (let round = 0; round < 8; round++) await Promise.resolve();
}

const access: fc.Arbitrary<FileAccess> = fc.record({
  identity: fc.constantFrom(...FILES),
  access: fc.constantFrom("read", "write"),
  start: fc.nat({ max: FILE_SIZE }),
  end: fc.oneof(fc.nat({ max: FILE_SIZE }), fc.constant(Number.POSITIVE_INFINITY)),
});
const alone = fc.constantFrom("x", "y");
const footprint: fc.Arbitrary<Footprint> = fc.oneof(
  fc.record({ files: fc.array(access, { maxLength: 2 }), alone }, { requiredKeys: ["files"] }),
  fc.record({ names: fc.constantFrom("read", "change", "change-content"), alone }, { requiredKeys: ["names"] }),
);

describe("RequestOrder", () => {
  it("gives the results of one request after the other, whichever finishes first", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(footprint, { maxLength: 20 }), fc.infiniteStream(fc.nat()), async (all, choices) => {
        const expectedWorld = newWorld();
        const expected = all.map((one, index) => perform(expectedWorld, one, index + 1));

        const world = newWorld();
        const order = new RequestOrder();
        const results: (unknown[] | undefined)[] = all.map(() => undefined);
        let running: { readonly index: number; readonly done: Deferred }[] = [];
        all.forEach((one, index) => {
          run(order, one, async () => {
            const done = new Deferred();
            running.push({ index, done });
            await done.promise;
            expect(results[index]).toBeUndefined();
            results[index] = perform(world, one, index + 1);
          });
        });
        expect(order.size).toBe(all.length);
        let drained = false;
        void order.drained().then(() => {
          drained = true;
        });
        for (let left = all.length; left > 0; left--) {
          await turn();
          expect(drained).toBe(false);
          // Something can always go on.
          expect(running.length).toBeGreaterThan(0);
          const chosen = running[(choices.next().value ?? 0) % running.length];
          running = running.filter((one) => one !== chosen);
          chosen?.done.resolve();
        }
        await turn();
        expect(order.size).toBe(0);
        expect(drained).toBe(true);
        expect(results).toEqual(expected);
        expect(world).toEqual(expectedWorld);
      }),
      { numRuns: 500 },
    );
  });

  /** Which of the second requests starts while the first runs. */
  async function runsBeside(first: Footprint, second: Footprint): Promise<boolean> {
    const order = new RequestOrder();
    const end = new Deferred();
    let started = false;
    run(order, first, () => end.promise);
    run(order, second, async () => {
      started = true;
    });
    const beside = started;
    end.resolve();
    await turn();
    expect(started).toBe(true);
    expect(order.size).toBe(0);
    return beside;
  }

  const file = (identity: string, kind: "read" | "write", start = 0, end = Number.POSITIVE_INFINITY): Footprint => ({
    files: [{ identity, access: kind, start, end }],
  });

  it.each<[what: string, first: Footprint, second: Footprint]>([
    ["a read beside a write to another file", file("a", "write"), file("b", "read")],
    ["a read beside a read", file("a", "read"), file("a", "read")],
    ["parts that only touch", file("a", "write", 0, 10), file("a", "write", 10, 20)],
    ["a look at names beside another", { names: "read" }, { names: "read" }],
    ["a read of a file beside a change of names", { names: "change" }, file("a", "read")],
    ["a change of names beside a read of a file", file("a", "read"), { names: "change" }],
    ["two that run alone each", { alone: "x" }, { alone: "y" }],
    ["what runs alone beside others", { alone: "x" }, { ...file("a", "write"), names: "change-content" }],
    ["nothing beside anything", { names: "change-content" }, {}],
  ])("%s: together", async (_, first, second) => {
    expect(await runsBeside(first, second)).toBe(true);
  });

  it.each<[what: string, first: Footprint, second: Footprint]>([
    ["parts that overlap by a byte", file("a", "write", 0, 11), file("a", "read", 10, 20)],
    ["a write behind a read", file("a", "read", 0, 11), file("a", "write", 10, 20)],
    ["a look at names behind a change", { names: "change" }, { names: "read" }],
    ["a change of names behind a look", { names: "read" }, { names: "change" }],
    ["what runs alone", { alone: "x" }, { alone: "x" }],
    ["attributes behind a write", file("a", "write"), { names: "read" }],
    ["a write behind attributes", { names: "read" }, file("a", "write")],
    ["a write behind a change of attributes", { names: "change" }, file("a", "write")],
    ["a read behind a truncation by name", { names: "change-content" }, file("a", "read")],
    ["a truncation by name behind a read", file("a", "read"), { names: "change-content" }],
  ])("%s: one after the other", async (_, first, second) => {
    expect(await runsBeside(first, second)).toBe(false);
  });

  it("lets none overtake one that waits for the same", async () => {
    const order = new RequestOrder();
    const started: string[] = [];
    const ends = new Map<string, Deferred>();
    const runNamed = (name: string, what: Footprint) =>
      run(order, what, () => {
        started.push(name);
        const end = new Deferred();
        ends.set(name, end);
        return end.promise;
      });
    runNamed("read", file("a", "read"));
    runNamed("write", file("a", "write"));
    runNamed("later read", file("a", "read"));
    runNamed("elsewhere", file("b", "read"));
    expect(started).toEqual(["read", "elsewhere"]);
    ends.get("read")?.resolve();
    await turn();
    expect(started).toEqual(["read", "elsewhere", "write"]);
    ends.get("write")?.resolve();
    await turn();
    expect(started).toEqual(["read", "elsewhere", "write", "later read"]);
    expect(order.size).toBe(2);
  });

  it("starts all that can start when requests finish as soon as they are started", async () => {
    const order = new RequestOrder();
    const end = new Deferred();
    const started: string[] = [];
    const start = (name: string) => () => void started.push(name);
    run(order, file("a", "write"), () => end.promise);
    run(order, file("a", "read"), start("first"));
    run(order, file("b", "read"), start("elsewhere"));
    run(order, { names: "read" }, start("names"));
    run(order, file("a", "write"), start("second"));
    run(order, file("a", "read"), start("third"));
    expect(started).toEqual(["elsewhere"]);
    end.resolve();
    await turn();
    expect(started).toEqual(["elsewhere", "first", "names", "second", "third"]);
    expect(order.size).toBe(0);
  });

  it("tells when a file is not used any more", async () => {
    const order = new RequestOrder();
    const [end, otherEnd] = [new Deferred(), new Deferred()];
    run(order, file("a", "read"), () => end.promise);
    run(order, file("a", "write"), async () => {});
    run(order, { alone: "b" }, () => otherEnd.promise);
    const released: string[] = [];
    for (const identity of ["a", "b", "c"]) void order.released(identity).then(() => released.push(identity));
    await turn();
    expect(released).toEqual(["c"]);
    end.resolve();
    await turn();
    expect(released).toEqual(["c", "a"]);
    otherEnd.resolve();
    await turn();
    expect(released).toEqual(["c", "a", "b"]);
  });
});
