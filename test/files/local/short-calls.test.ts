import fs, { constants, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LinkInPathError } from "../../../src/files/errors.js";
import { makeAtOnce, promptCalls } from "../../../src/files/local/short-calls.js";

let folder = "";
let clock = 1_000_000;
/** Milliseconds that go by with each look at the clock. */
let pace = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spindlex-short-calls-"));
  clock += 1_000_000;
  pace = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    clock += pace;
    return clock;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** A slow call, after which no call counts as an exception. */
function beSlow(): void {
  pace = 5;
  promptCalls.lstat(folder);
  pace = 0;
  clock += 1_000_000;
}

function isMadeAtOnce(): boolean {
  const stats = promptCalls.lstat(folder);
  if (!(stats instanceof Promise)) return true;
  // The folder may be gone by then.
  stats.catch(() => {});
  return false;
}

/** Absent where no file is open by this number. */
function fileOf(descriptor: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined;
  }
}

describe("calls that are made at once", () => {
  it("open, read, write and close like any", () => {
    const path = join(folder, "file");
    const descriptor = promptCalls.open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    if (descriptor instanceof Promise) throw new Error("not made at once");
    expect(promptCalls.write(descriptor, Buffer.from("content"), 0)).toBe(7);
    const buffer = Buffer.alloc(10);
    expect(promptCalls.read(descriptor, buffer, 3)).toBe(4);
    expect(buffer.toString("utf8", 0, 4)).toBe("tent");
    promptCalls.close(descriptor);
    expect(() => promptCalls.read(descriptor, buffer, 0)).toThrow("EBADF");
  });

  it("close what cannot be looked at", async () => {
    const descriptor = fs.openSync(folder, constants.O_RDONLY);
    const failing = vi.spyOn(fs, "fstatSync").mockImplementation(() => {
      throw new Error("EIO");
    });
    await promptCalls.close(descriptor);
    failing.mockRestore();
    // By now the number may be that of another file.
    expect(fileOf(descriptor)).not.toBe(folder);
  });

  it("follow no link", () => {
    writeFileSync(join(folder, "file"), "");
    symlinkSync("file", join(folder, "link"));
    expect(() => promptCalls.open(join(folder, "link"), constants.O_RDONLY, 0)).toThrow(LinkInPathError);
  });

  it("are made many together, and none while calls are handed to the pool", () => {
    beSlow();
    const all = () => makeAtOnce(64, () => 64);
    expect(all()).toBe(64);
    pace = 5; // whoever makes them knows whether it was the disk
    expect(all()).toBe(64);
    expect(makeAtOnce(64, () => 3)).toBe(3); // an exception behind so many, hence a short rest
    pace = 0;
    clock += 19;
    expect(all()).toBe(0);
    clock += 2;
    expect(all()).toBe(64);
  });

  it("are handed to the pool after a slow one, for a hundred times as long as it took", async () => {
    beSlow();
    expect(isMadeAtOnce()).toBe(true);
    pace = 5;
    expect(isMadeAtOnce()).toBe(true);
    pace = 0;
    clock += 499;
    const stats = promptCalls.lstat(folder);
    expect(stats).toBeInstanceOf(Promise);
    expect((await stats).isDirectory()).toBe(true);
    clock += 2;
    expect(isMadeAtOnce()).toBe(true);
  });

  it("rest but shortly after one that was slow behind many quick ones: the processor had other work", () => {
    beSlow();
    for (let count = 0; count < 50; count++) expect(isMadeAtOnce()).toBe(true);
    pace = 5;
    expect(isMadeAtOnce()).toBe(true);
    pace = 0;
    clock += 19;
    expect(isMadeAtOnce()).toBe(false);
    clock += 2;
    expect(isMadeAtOnce()).toBe(true);
    pace = 5;
    expect(isMadeAtOnce()).toBe(true);
    pace = 0;
    clock += 499;
    expect(isMadeAtOnce()).toBe(false);
  });

  it("rest long after one that held everything up, however many were quick", () => {
    beSlow();
    for (let count = 0; count < 50; count++) expect(isMadeAtOnce()).toBe(true);
    pace = 10;
    expect(isMadeAtOnce()).toBe(true);
    pace = 0;
    clock += 999;
    expect(isMadeAtOnce()).toBe(false);
  });

  it("are slow, too, when they fail", () => {
    pace = 5;
    expect(() => promptCalls.lstat(join(folder, "missing"))).toThrow("ENOENT");
    pace = 0;
    expect(isMadeAtOnce()).toBe(false);
  });

  it("do not move much data", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "");
    const descriptor = await promptCalls.open(path, constants.O_RDWR, 0);
    const large = Buffer.alloc(64 * 1024 + 1, 1);
    const written = promptCalls.write(descriptor, large, 0);
    expect(written).toBeInstanceOf(Promise);
    expect(await written).toBe(large.length);
    const read = promptCalls.read(descriptor, Buffer.alloc(large.length), 0);
    expect(read).toBeInstanceOf(Promise);
    expect(await read).toBe(large.length);
    await promptCalls.close(descriptor);
  });

  it("do not empty a large file, nor close one: that takes as long as there is to be freed or written", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "");
    truncateSync(path, 8 * 2 ** 20 + 1);
    const descriptor = await promptCalls.open(path, constants.O_RDWR, 0);
    const opened = promptCalls.open(path, constants.O_RDWR | constants.O_TRUNC, 0);
    expect(opened).toBeInstanceOf(Promise);
    expect(promptCalls.close(await opened)).toBeUndefined();
    truncateSync(path, 8 * 2 ** 20 + 1);
    const closed = promptCalls.close(descriptor);
    expect(closed).toBeInstanceOf(Promise);
    await closed;
  });
});
