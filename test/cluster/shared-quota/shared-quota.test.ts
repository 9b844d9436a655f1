import { describe, expect, it, vi } from "vitest";
import { COMPLETED } from "../../../src/files/file-outcome.js";
import type { FileHandle } from "../../../src/files/file-system.js";
import { call, callHandle } from "../../../src/files/wrappers/methods.js";
import { openOptions } from "../../files/conformance/drive.js";
import { type Event, LIMIT, QuotaWorkers, type Worker } from "./quota-workers.js";

// One order of what happens in three processes, of many: in each of these something was counted wrongly once.

const NOTHING = (): boolean => false;

function threeWorkers() {
  const workers = new QuotaWorkers();
  /** Whatever else can happen happens first. */
  const done = async <T>(promise: Promise<T>, isHeldUp: (event: Event) => boolean = NOTHING): Promise<T> => {
    promise.catch(() => {});
    await workers.goOn(isHeldUp);
    return promise;
  };
  return {
    workers,
    done,
    one: workers.start(),
    two: workers.start(),
    three: workers.start(),
    open: (worker: Worker, path: string, how?: string, isHeldUp?: (event: Event) => boolean) =>
      done(opening(worker, path, how), isHeldUp),
    expectNothingUncounted: async () => expect(await workers.counted()).toBeGreaterThanOrEqual(workers.disk.stored),
    expectAllCounted: async () => expect(await workers.counted()).toBe(workers.disk.stored),
  };
}

async function opening({ files }: Worker, path: string, how = "write create"): Promise<FileHandle> {
  return call(files, "open", path, openOptions(how));
}

async function write(handle: FileHandle, position: number, length: number): Promise<void> {
  await callHandle(handle, "write", Buffer.alloc(length), position);
}

async function remove({ files }: Worker, path: string): Promise<void> {
  await call(files, "remove", path);
}

async function rename({ files }: Worker, path: string, newPath: string): Promise<void> {
  await call(files, "posixRename", path, newPath);
}

async function truncate(handle: FileHandle, size: number): Promise<void> {
  await callHandle(handle, "setstat", { size });
}

async function close(handle: FileHandle): Promise<void> {
  await callHandle(handle, "close", COMPLETED);
}

const callOf = (worker: Worker, name: RegExp) => (event: Event) =>
  event.worker === worker && name.test(event.call?.name ?? "");

const messageTo = (worker: Worker) => (event: Event) => event.name.startsWith(`${worker.name} ←`);

describe("what one worker appends", () => {
  it("counts behind what another writes that has opened the file meanwhile", async () => {
    const { workers, one, two, open, done, expectNothingUncounted } = threeWorkers();
    const appending = await open(one, "/file", "write append create");
    void write(appending, 0, 100);
    await workers.goOn(callOf(one, /append/));
    const writing = await open(two, "/file", "write", callOf(one, /append/));
    await done(write(writing, 0, 1000), callOf(one, /append/));
    await workers.goOn();
    expect(workers.disk.stored).toBe(1100);
    await expectNothingUncounted();
  });

  it("is no room for what a third one writes", async () => {
    const { workers, one, two, three, open, done, expectNothingUncounted } = threeWorkers();
    await open(one, "/file", "write append create");
    const appending = await open(two, "/file", "write append");
    void write(appending, 0, 500);
    await workers.goOn(callOf(two, /append/));
    const writing = await open(three, "/file", "write", callOf(two, /append/));
    await done(write(writing, 0, 500), callOf(two, /append/));
    await workers.goOn();
    expect(workers.disk.stored).toBe(1000);
    await expectNothingUncounted();
  });

  it("counts where it has not heard in time that another has opened the file", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { workers, one, two, open, done, expectNothingUncounted } = threeWorkers();
      const appending = await open(one, "/file", "write append create");
      // The second time, it gets more than it asks for.
      await done(write(appending, 0, 100));
      await done(write(appending, 0, 100));
      const opened = opening(two, "/file", "write");
      await workers.goOn(messageTo(one));
      await vi.advanceTimersByTimeAsync(2000);
      const writing = await done(opened, messageTo(one));
      await done(write(writing, 0, 2000), messageTo(one));
      await done(write(appending, 0, 300), messageTo(one));
      expect(workers.disk.stored).toBe(2300);
      await expectNothingUncounted();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a file that a worker left when it died", () => {
  it("counts while the next one looks at it, though all is given back that nobody needs", async () => {
    const { workers, one, two, three, open, done, expectNothingUncounted } = threeWorkers();
    const left = await open(three, "/left");
    await done(write(left, 0, 1000));
    await done(write(left, 1000, 1000));
    workers.kill(three);
    const look = callOf(one, /stat/);
    const looking = opening(one, "/left", "write");
    await workers.goOn(look);
    const other = await open(two, "/other", "write create", look);
    await expect(done(write(other, 0, LIMIT - 1000), look)).rejects.toThrow("Disk quota exceeded");
    await done(looking);
    await expectNothingUncounted();
  });

  it("is looked at though it is renamed before anybody gets there", async () => {
    const { workers, one, three, open, done, expectAllCounted } = threeWorkers();
    const left = await open(three, "/left");
    await done(write(left, 0, 1000));
    await done(write(left, 1000, 1000));
    const renaming = rename(one, "/left", "/renamed");
    await workers.goOn(callOf(one, /rename/));
    workers.kill(three);
    await workers.goOn(callOf(one, /rename/));
    await done(renaming);
    await expectAllCounted();
  });

  it("is looked at where it has taken the place of another, which the primary has not heard in time", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { workers, one, three, open, done, expectAllCounted } = threeWorkers();
      await done(close(await open(one, "/replaced")));
      const left = await open(three, "/left");
      await done(write(left, 0, 1000));
      await done(write(left, 1000, 1000));
      const renaming = rename(one, "/left", "/replaced");
      await workers.goOn(callOf(one, /rename/));
      workers.kill(three);
      await workers.goOn(callOf(one, /rename/));
      await workers.goOn(messageTo(one));
      await vi.advanceTimersByTimeAsync(5000);
      await expect(done(renaming)).rejects.toMatchObject({ failure: "late" });
      await expectAllCounted();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a file without a name", () => {
  it("counts until each of its handles is closed, in whichever order", async () => {
    const { workers, one, open, done, expectNothingUncounted, expectAllCounted } = threeWorkers();
    const [first, last] = [await open(one, "/file"), await open(one, "/file")];
    await done(write(first, 0, 1000));
    await done(remove(one, "/file"));
    const closing = close(first);
    const [slow] = one.process.calls;
    await done(close(last), (event) => event.call === slow);
    expect(workers.disk.stored).toBe(1000);
    await expectNothingUncounted();
    await done(closing);
    expect(workers.disk.stored).toBe(0);
    await expectAllCounted();
  });

  it("gets no more room when its worker has died", async () => {
    const { workers, one, two, open, done, expectAllCounted } = threeWorkers();
    const unnamed = await open(one, "/file");
    await done(write(unnamed, 0, 1000));
    await done(remove(one, "/file"));
    const other = await open(two, "/other");
    await done(write(other, 0, 1000));
    await done(write(other, 0, 2000));
    // There is room as soon as the other worker has given back what it does not need.
    write(unnamed, 0, LIMIT - 2000).catch(() => {});
    await workers.goOn(messageTo(two));
    workers.kill(one);
    await workers.goOn(messageTo(two));
    await done(close(other));
    await expectAllCounted();
  });
});

describe("a file that has become shorter than it counts", () => {
  it("is looked at once more where that has failed until it was closed", async () => {
    const { workers, one, open, done, expectAllCounted } = threeWorkers();
    const file = await open(one, "/file");
    await done(write(file, 0, 2000));
    for (const change of [() => truncate(file, 1000), () => close(file)]) {
      const changing = change();
      await workers.goOn(callOf(one, /stat/));
      for (const look of one.process.calls) look.fail();
      await done(changing);
    }
    expect(workers.disk.stored).toBe(1000);
    await expectAllCounted();
  });
});
