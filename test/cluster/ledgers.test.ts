import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { passwordFile } from "../../src/authenticators/passwords/password-file.js";
import { oneTimeCode } from "../../src/authenticators/totp/one-time-code.js";
import { totp } from "../../src/authenticators/totp/totp.js";
import { shareLedgers } from "../../src/base/shared-ledgers.js";
import type { Operation } from "../../src/cluster/calls/operation.js";
import { ProcessLine } from "../../src/cluster/calls/process-line.js";
import { AGREE_TEXT, ATTEMPT_CODE } from "../../src/cluster/ledgers/operations.js";
import { PrimaryLedgers } from "../../src/cluster/ledgers/primary-ledgers.js";
import { CLOSE_ACCOUNT, OPEN_ACCOUNT } from "../../src/cluster/ledgers/quota-operations.js";
import { workerLedgers } from "../../src/cluster/ledgers/worker-ledgers.js";
import { COMPLETED } from "../../src/files/file-outcome.js";
import type { FileSystem } from "../../src/files/file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { quota } from "../../src/files/wrappers/quota.js";
import { readOnly } from "../../src/files/wrappers/read-only.js";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import { openOptions } from "../files/conformance/drive.js";
import { builtFile } from "../support/build.js";
import { extent } from "../support/extent.js";
import { temporaryFolder } from "../support/tools.js";
import {
  CHURN,
  GIVE_CODE,
  GUESS,
  LIMIT,
  LOCK,
  SECRET,
  STAND_INS,
  STORE,
  STORE_OPEN,
  TAKE_TURNS,
  USED,
} from "./ledger-worker-process.js";
import { relayedWorker } from "./three-workers.js";

const temporary = temporaryFolder();

interface Worker {
  readonly child: ChildProcess;
  readonly line: ProcessLine;
}

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

function startWorker(ledgers: PrimaryLedgers): Worker {
  const child = fork(builtFile("test/cluster/ledger-worker-process.ts"));
  running.push(child);
  const line = new ProcessLine(child, { peer: "a worker" });
  ledgers.serve(line);
  return { child, line };
}

function startWorkers(): readonly [Worker, Worker, Worker] & { readonly ledgers: PrimaryLedgers } {
  const ledgers = new PrimaryLedgers();
  const workers: [Worker, Worker, Worker] = [startWorker(ledgers), startWorker(ledgers), startWorker(ledgers)];
  return Object.assign(workers, { ledgers });
}

async function killed({ child, line }: Worker): Promise<void> {
  expect(line.signal.aborted).toBe(false);
  const over = once(line.signal, "abort");
  child.kill("SIGKILL");
  await over;
}

/** Bytes of its files. */
function sizeOf(folder: string): number {
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

const presentCode = () =>
  oneTimeCode(Buffer.from("12345678901234567890"), Math.floor(Date.now() / 30_000), {
    algorithm: "sha1",
    digits: 6,
    period: 30,
  });

describe("the ledgers of three workers", () => {
  it("take a code once, though all give it at the same moment, and no guess after a few in any of them", async () => {
    const workers = startWorkers();
    const code = presentCode();
    const accepted = await Promise.all(workers.map(({ line }) => line.call(GIVE_CODE, { code, times: 33 })));
    expect(accepted.reduce((sum, count) => sum + count)).toBe(1);
    // The same code 98 times is as many failures.
    const next = oneTimeCode(Buffer.from("12345678901234567890"), Math.floor(Date.now() / 30_000) + 1, {
      algorithm: "sha1",
      digits: 6,
      period: 30,
    });
    for (const { line } of workers) expect(await line.call(GIVE_CODE, { code: next, times: 1 })).toBe(0);
  });

  it("count the guesses together, of thousands of users too", async () => {
    const workers = startWorkers();
    const [one, two, three] = workers;
    const pauses = [one, two, three, one, two].map(({ line }) => line.call(GUESS, { from: 0, users: 1, times: 1 }));
    expect((await Promise.all(pauses)).sort((a, b) => a - b)).toEqual([0, 0, 0, 0, 30]);
    const many = workers.map(({ line }, index) =>
      line.call(GUESS, { from: 1 + 3334 * index, users: 3334, times: 1 }, { seconds: 60 }),
    );
    expect(await Promise.all(many)).toEqual([0, 0, 0]);
  });

  it("give unknown users the same stand-ins in all of them", async () => {
    const workers = startWorkers();
    const request = { hashes: ["cheap", "dear"], names: 200 };
    const [one, ...others] = await Promise.all(workers.map(({ line }) => line.call(STAND_INS, request)));
    expect(new Set(one)).toEqual(new Set(["cheap", "dear"]));
    for (const other of others) expect(other).toEqual(one);
    expect(await startWorker(workers.ledgers).line.call(STAND_INS, request)).toEqual(one);
    expect(await startWorker(new PrimaryLedgers()).line.call(STAND_INS, request)).not.toEqual(one);
  });

  it("let only so many passwords be checked in all, and the next when a worker dies", async () => {
    const [one, two] = startWorkers();
    await one.line.call(TAKE_TURNS, 2);
    const third = one.line.call(TAKE_TURNS, 1, { seconds: 60 });
    third.catch(() => {});
    const others = two.line.call(TAKE_TURNS, 2, { seconds: 60 });
    await killed(one);
    expect(await others).toBe(2);
    await expect(third).rejects.toMatchObject({ failure: "gone" });
  });

  it("store as many bytes as one process does, and count what is there", async () => {
    const folder = join(temporary, "stored");
    const workers = startWorkers();
    const stored = await Promise.all(
      workers.map(({ line }, index) => line.call(STORE, { folder, name: `${index}`, blocks: 1000 }, { seconds: 60 })),
    );
    const total = stored.reduce((sum, bytes) => sum + bytes);
    expect(total).toBe(LIMIT - (LIMIT % (32 * 1024)));
    for (const { line } of workers) expect(await line.call(USED, folder)).toBe(total);
    const sizes = [0, 1, 2].map((name) => statSync(join(folder, `${name}`)).size);
    expect(sizes).toEqual(stored);
  });

  it("keep each limit of a folder for those who have it", async () => {
    const folder = join(temporary, "limits");
    const [one, two, three] = startWorkers();
    const store = ({ line }: Worker, name: string, limit: number) =>
      line.call(STORE, { folder, name, blocks: 1000, limit }, { seconds: 60 });
    const [block, less, more] = [32 * 1024, 1_000_000, 3_000_000];
    const within = (limit: number) => limit - (limit % block);
    // The last to come does not decide for the others.
    const stored = await store(one, "one", less);
    expect(stored).toBe(within(less));
    expect(stored + (await store(two, "two", more))).toBe(within(more));
    expect(await store(three, "three", less)).toBe(0);
    expect(await store(one, "one more", less)).toBe(0);
    expect(await three.line.call(USED, folder)).toBe(within(more));
  });

  it("get back what a worker had not used when it dies, its locks", async () => {
    const folder = join(temporary, "died");
    const workers = startWorkers();
    const [one, two, three] = workers;
    const stored = await one.line.call(STORE_OPEN, { folder, name: "open", blocks: 10 });
    expect(await two.line.call(USED, folder)).toBeGreaterThan(stored);
    await three.line.call(LOCK, folder);
    const waiting = two.line.call(STORE, { folder, name: "other", blocks: 1 });
    await killed(three);
    const other = await waiting;
    await killed(one);
    await vi.waitFor(async () => expect(await two.line.call(USED, folder)).toBe(stored + other));
    const [four, rest] = [startWorker(workers.ledgers), { folder, name: "rest", blocks: 10_000 }];
    const left = await four.line.call(STORE, rest, { seconds: 60 });
    expect(LIMIT - stored - other - left).toBeLessThan(32 * 1024);
  });

  it("go on where a file that a dead worker had open was out of reach for a time", async () => {
    const folder = join(temporary, "moved");
    const workers = startWorkers();
    const [one, two, three] = workers;
    await one.line.call(STORE_OPEN, { folder, name: "open", blocks: 10 });
    await killed(one);
    renameSync(join(folder, "open"), join(temporary, "elsewhere"));
    await two.line.call(STORE, { folder, name: "rest", blocks: 10_000 }, { seconds: 60 });
    renameSync(join(temporary, "elsewhere"), join(folder, "open"));
    await two.line.call(STORE_OPEN, { folder, name: "open", blocks: 1 });
    await three.line.call(STORE, { folder, name: "open", blocks: 1 });
    expect(await three.line.call(USED, folder)).toBeLessThanOrEqual(LIMIT);
  });
});

describe("three workers that change the same files", () => {
  it("are never over the limit, and count what is there when they are done, though one is killed now and then", async () => {
    const folder = join(temporary, "churned");
    mkdirSync(folder);
    const workers = startWorkers();
    const [one, two] = workers;
    const time = extent(1500, 6000);
    const others = [one, two].map(({ line }, seed) =>
      line.call(CHURN, { folder, seed, time, names: true }, { seconds: 60 }),
    );
    const churn = { folder, seed: 7, time: 10_000, names: false };
    for (const end = performance.now() + time - 500; performance.now() < end; ) {
      const dying = startWorker(workers.ledgers);
      dying.line.call(CHURN, churn, { seconds: 60 }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(sizeOf(folder)).toBeLessThanOrEqual(LIMIT);
      await killed(dying);
    }
    await Promise.all(others);
    await vi.waitFor(async () => expect(await one.line.call(USED, folder)).toBe(sizeOf(folder)), 5000);
    expect(sizeOf(folder)).toBeLessThanOrEqual(LIMIT);
  });
});

describe("a worker that has a tree which nothing names", () => {
  it("counts it for itself, and says so once", async () => {
    const { worker, kill } = relayedWorker("a worker");
    shareLedgers(workerLedgers(worker));
    const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      const memory = new MemoryFileSystem();
      const bucket: FileSystem = { open: memory.open.bind(memory), readdir: memory.readdir.bind(memory) };
      for (let object = 0; object < 2; object++) expect((await quota(bucket, { bytes: 10 }).usage()).left).toBe(10);
      // No other process has what is in memory, whatever is around it.
      for (const tree of [memory, readOnly(memory)]) expect((await quota(tree, { bytes: 10 }).usage()).left).toBe(10);
      const lines = written.mock.calls.map(([line]) => String(line));
      expect(lines).toEqual([expect.stringContaining("its file system has no name")]);
    } finally {
      written.mockRestore();
      shareLedgers(undefined);
      kill();
    }
  });
});

describe("workers with different limits for one tree", () => {
  it("are warned each by its own", async () => {
    const { primary, worker, kill } = relayedWorker("a worker");
    new PrimaryLedgers().serve(primary);
    shareLedgers(workerLedgers(worker));
    try {
      const memory = new MemoryFileSystem();
      const warnings: number[] = [];
      const limited = (bytes: number) =>
        quota(memory, { bytes, name: "shared tree", warnAt: 0.5, onWarning: ({ limit }) => void warnings.push(limit) });
      const [less, more] = [limited(100), limited(1000)];
      expect([(await less.usage()).left, (await more.usage()).left]).toEqual([100, 1000]);
      const handle = await more.open?.("/file", openOptions("write create"));
      await handle?.write?.(Buffer.alloc(400), 0);
      expect([(await less.usage()).left, (await more.usage()).left]).toEqual([0, 600]);
      await vi.waitFor(() => expect(warnings).toEqual([100]));
      await handle?.write?.(Buffer.alloc(200), 400);
      await vi.waitFor(() => expect(warnings).toEqual([100, 1000]));
      await handle?.close?.(COMPLETED);
    } finally {
      shareLedgers(undefined);
      kill();
    }
  });
});

describe("a worker that does not use a quota any more", () => {
  it("tells so, for the primary to forget it", async () => {
    const { primary, worker, kill } = relayedWorker("a worker");
    new PrimaryLedgers().serve(primary);
    shareLedgers(workerLedgers(worker));
    const notify = vi.spyOn(worker, "notify");
    try {
      const use = async () => (await quota(new MemoryFileSystem(), { bytes: 10, name: "homes/ann" }).usage()).left;
      expect(await use()).toBe(10);
      setFlagsFromString("--expose-gc");
      const collectGarbage = runInNewContext("gc") as () => void;
      await vi.waitFor(() => {
        collectGarbage();
        expect(notify.mock.calls.map(([notice]) => notice)).toContain(CLOSE_ACCOUNT);
      }, 10_000);
    } finally {
      shareLedgers(undefined);
      kill();
    }
  });
});

describe("a worker whose primary does not answer", () => {
  it("refuses codes, passwords and files, at once or by the deadline", async () => {
    const { primary, worker, kill } = relayedWorker("a worker");
    shareLedgers(workerLedgers(worker));
    const files = quota(new MemoryFileSystem(), { bytes: 10, name: "tree" });
    const connection = { remoteAddress: "192.0.2.1", signal: new AbortController().signal, reportInvalidUser() {} };
    const failures = () =>
      [
        totp(SECRET)("ann", "", async () => [presentCode()]),
        passwordFile(`ann:${KNOWN_HASHES["SHA-256 crypt"].hash}`)("ann", "secret", connection),
        Promise.resolve(files.open?.("/file", openOptions("write create"))),
      ].map((attempt) => attempt.then(() => "none").catch((error) => error.failure));
    try {
      // Nobody serves the ledgers.
      expect(await Promise.all(failures())).toEqual(["failed", "failed", "failed"]);
      for (const operation of [ATTEMPT_CODE, AGREE_TEXT, OPEN_ACCOUNT]) {
        primary.answer(operation as Operation<unknown, unknown>, () => new Promise(() => {}));
      }
      const [code, password, file] = failures();
      expect([await code, await password]).toEqual(["late", "late"]);
      kill();
      // It may wait for another worker to list the tree, and so for longer.
      expect(await file).toBe("gone");
      expect(await Promise.all(failures())).toEqual(["gone", "gone", "gone"]);
    } finally {
      shareLedgers(undefined);
    }
  });
});
