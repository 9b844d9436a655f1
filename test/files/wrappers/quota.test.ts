import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ConfigurationError } from "../../../src/base/configuration-error.js";
import { FileError, LinkInPathError } from "../../../src/files/errors.js";
import { COMPLETED } from "../../../src/files/file-outcome.js";
import type { FileSystem } from "../../../src/files/file-system.js";
import { LocalFileSystem } from "../../../src/files/local/local-file-system.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { callHandle, selectHandleMethods, selectMethods } from "../../../src/files/wrappers/methods.js";
import { quota } from "../../../src/files/wrappers/quota.js";
import { readOnly } from "../../../src/files/wrappers/read-only.js";
import { treeSize } from "../../../src/files/wrappers/tree-size.js";
import { dotted } from "../../support/dotted-file-system.js";
import { extent } from "../../support/extent.js";
import { Drive, expectFailure, openOptions } from "../conformance/drive.js";
import { type State, steps } from "../conformance/steps.js";
import { describeFileSystem } from "../conformance.js";
import {
  anonymous,
  countedInBytes,
  deferred,
  meetingSteps,
  slow,
  WatchedFileSystem,
  withHandles,
} from "./quota-support.js";

describeFileSystem("quota", async () => ({ fileSystem: quota(new MemoryFileSystem(), { bytes: 2 ** 30 }) }));

describeFileSystem("quota of a LocalFileSystem", async () => {
  process.umask(0o022);
  const folder = mkdtempSync(join(tmpdir(), "spindlex-quota-"));
  return {
    fileSystem: quota(new LocalFileSystem(folder), { bytes: 2 ** 30 }),
    dispose: async () => rmSync(folder, { recursive: true }),
  };
});

describe("quota", () => {
  function limited(bytes: number, files: Record<string, string> = {}) {
    const memory = MemoryFileSystem.from(files);
    return { memory, drive: new Drive(quota(countedInBytes(memory), { bytes })) };
  }

  async function free(drive: Drive): Promise<number> {
    return (await drive.statvfs("/")).freeBlocks;
  }

  describe("of writes", () => {
    it("ends with what it was given", async () => {
      const { memory, drive } = limited(10);
      const file = await drive.open("/file", "write create");
      await file.write("01234567", 0);
      await expectFailure("EDQUOT", () => file.write("890", 8));
      expect(memory.readFile("/file").toString()).toBe("01234567");
      await file.write("89", 8);
      await file.write("overwrites", 0);
      await file.write("", 100);
      const other = await drive.open("/other", "write create");
      await expectFailure("EDQUOT", () => other.write("x", 0));
      expect(await free(drive)).toBe(0);
    });

    it("counts what lies before an offset", async () => {
      const { drive } = limited(100);
      const file = await drive.open("/file", "write create");
      await expectFailure("EDQUOT", () => file.write("x", 100));
      await expectFailure("EDQUOT", () => file.write("x", 2 ** 53));
      await file.write("x", 98);
      expect(await free(drive)).toBe(1);
      await expectFailure("EDQUOT", () => file.setstat({ size: 101 }));
      await expectFailure("EDQUOT", () => drive.setstat("/file", { size: 101 }));
      await drive.setstat("/file", { size: 100 });
      expect(await free(drive)).toBe(0);
    });

    it("counts what is appended, at whatever position", async () => {
      const { drive } = limited(10, { "/file": "01234" });
      const file = await drive.open("/file", "write append");
      await file.write("567", 0);
      expect(await free(drive)).toBe(2);
      await expectFailure("EDQUOT", () => file.write("890", 0));
    });

    it("holds for writes at the same time, through any handles and sessions", async () => {
      const memory = new MemoryFileSystem();
      const shared = quota(slow(countedInBytes(memory), 1), { bytes: 1000 });
      const drives = [new Drive(shared), new Drive(shared), new Drive(shared)];
      const writes = Array.from({ length: 30 }, async (_, index) => {
        const file = await (drives[index % 3] as Drive).open(`/file${index % 7}`, "write create append");
        await file.write(Buffer.alloc(90), 0);
      });
      const outcomes = await Promise.allSettled(writes);
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(11);
      expect(await treeSize(memory)).toBe(990);
    });

    it("gives back what was not written", async () => {
      const memory = new MemoryFileSystem();
      const failing = withHandles(countedInBytes(memory), (handle) => ({
        ...selectHandleMethods(handle),
        write: async (data, position) => {
          await handle.write?.(data.subarray(0, 3), position);
          throw new FileError("EIO");
        },
      }));
      const drive = new Drive(quota(failing, { bytes: 100 }));
      const file = await drive.open("/file", "write create");
      for (let round = 0; round < 10; round++)
        await expectFailure("EIO", () => file.write(Buffer.alloc(50), round * 3));
      expect(await free(drive)).toBe(100 - 30);
      const attempts = [30, 60].map((position) => file.write(Buffer.alloc(30), position));
      await Promise.allSettled(attempts);
      expect(await free(drive)).toBe(100 - 63);
    });
  });

  describe("gets back", () => {
    it("what is removed, when it is closed", async () => {
      const { drive } = limited(10, { "/file": "01234567" });
      const reader = await drive.open("/file", "read");
      const writer = await drive.open("/file", "write");
      await drive.remove("/file");
      expect(await free(drive)).toBe(2);
      await writer.write("89", 8);
      expect(await free(drive)).toBe(0);
      await writer.close();
      expect(await free(drive)).toBe(0);
      await reader.close();
      expect(await free(drive)).toBe(10);
    });

    it("what is replaced", async () => {
      const { drive } = limited(10, { "/file": "0123", "/other": "01" });
      await drive.posixRename("/other", "/file");
      expect(await free(drive)).toBe(8);
      await drive.posixRename("/file", "/file");
      expect(await free(drive)).toBe(8);
      await drive.rename("/file", "/renamed");
      expect(await free(drive)).toBe(8);
    });

    it("what is cut", async () => {
      const { drive } = limited(10, { "/file": "0123456789" });
      await drive.setstat("/file", { size: 8 });
      expect(await free(drive)).toBe(2);
      const file = await drive.open("/file", "write");
      await file.setstat({ size: 6 });
      expect(await free(drive)).toBe(4);
      const truncating = await drive.open("/file", "write truncate");
      expect(await free(drive)).toBe(10);
      await truncating.write("01234", 0);
      await file.write("5678901".slice(0, 5), 5);
      expect(await free(drive)).toBe(0);
    });

    it("what is cut once more, at whatever moment of the look that follows the first cut", async () => {
      const turns = Array.from({ length: 12 }, (_, count) => async () => {
        for (let turn = 0; turn < count; turn++) await undefined;
      });
      const unused: number[] = [];
      for (const moment of [...turns, () => setImmediate()]) {
        const [looking, firstDone] = [deferred(), deferred()];
        let onLook = () => {};
        const watched = withHandles(countedInBytes(MemoryFileSystem.from({ "/file": "0123456789" })), (handle) => ({
          ...selectHandleMethods(handle),
          stat: () => {
            onLook();
            return callHandle(handle, "stat");
          },
          setstat: async (changes) => {
            if (changes.size === 0) await firstDone.run();
            await handle.setstat?.(changes);
          },
        }));
        const drive = new Drive(quota(watched, { bytes: 10 }));
        const file = await drive.open("/file", "write");
        onLook = looking.finish;
        const first = file.setstat({ size: 5 }).then(firstDone.finish);
        await looking.run();
        await moment();
        await Promise.all([first, file.setstat({ size: 0 })]);
        await file.close();
        unused.push(await free(drive));
      }
      expect(unused).toEqual(unused.map(() => 10));
    });

    it("a file with its last name", async () => {
      const { drive } = limited(10, { "/file": "01234567" });
      await drive.hardlink("/file", "/second");
      await drive.hardlink("/file", "/third");
      await drive.remove("/file");
      await drive.write("/other", "ab");
      await drive.posixRename("/other", "/second");
      expect(await free(drive)).toBe(0);
      await drive.remove("/third");
      expect(await free(drive)).toBe(8);
    });

    it("nothing for what is not removed", async () => {
      const { drive } = limited(10, { "/file": "0123", "/directory/inner": "01" });
      await drive.symlink("file", "/link");
      await drive.remove("/link");
      await expectFailure("EISDIR", () => drive.remove("/directory"));
      await expectFailure("ENOENT", () => drive.remove("/missing"));
      await expectFailure("ENOTDIR", () => drive.posixRename("/directory", "/file"));
      await expectFailure("EEXIST", () => drive.rename("/directory", "/file"));
      expect(await free(drive)).toBe(4);
    });

    it("files of a file system that tells neither identity nor links", async () => {
      const memory = new MemoryFileSystem();
      const drive = new Drive(quota(anonymous(countedInBytes(memory)), { bytes: 10 }));
      await drive.write("/file", "01234567");
      const file = await drive.open("/file", "write");
      await drive.rename("/file", "/renamed");
      await expectFailure("EDQUOT", () => drive.write("/file", "012"));
      await file.write("x", 2);
      expect(await free(drive)).toBe(2);
      await drive.remove("/renamed");
      expect(await free(drive)).toBe(2);
      await file.close();
      expect(await free(drive)).toBe(10);
    });
  });

  describe("starts", () => {
    const FILES = { "/a": "0123", "/b/c": "01", "/b/d/e": "0" };

    it("with what is there, listed once for all", async () => {
      const memory = MemoryFileSystem.from(FILES);
      memory.symlink("a", "/link");
      memory.hardlink("/a", "/b/second-name");
      memory.hardlink("/a", "/b/third-name");
      const listed: string[] = [];
      const watched: FileSystem = {
        ...selectMethods(countedInBytes(memory), () => true),
        readdir: (path) => {
          listed.push(path);
          return memory.readdir(path);
        },
      };
      const drive = new Drive(quota(watched, { bytes: 10 }));
      await drive.read("/a");
      expect(listed).toEqual([]);
      const outcomes = await Promise.allSettled([drive.write("/new", "0123"), drive.write("/other", ""), free(drive)]);
      expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
      expect(await free(drive)).toBe(3);
      expect(listed.sort()).toEqual(["/", "/b", "/b/d"]);
    });

    it("with what it is told", async () => {
      const fileSystem = {
        ...selectMethods(countedInBytes(MemoryFileSystem.from(FILES)), (name) => name !== "readdir"),
      };
      const drive = new Drive(quota(fileSystem, { bytes: 100, used: 60 }));
      expect(await free(drive)).toBe(40);
      await expectFailure("EDQUOT", () => drive.setstat("/a", { size: 45 }));
      await drive.setstat("/a", { size: 44 });
      expect(await free(drive)).toBe(0);
    });

    it("over its limit: what is there stays, shrinks and goes", async () => {
      const { drive } = limited(3, FILES);
      expect(await free(drive)).toBe(0);
      await drive.write("/b/c", "");
      await expectFailure("EDQUOT", () => drive.setstat("/b/d/e", { size: 2 }));
      await drive.remove("/a");
      expect(await free(drive)).toBe(2);
      await drive.setstat("/b/d/e", { size: 3 });
    });

    it("not, while a directory cannot be listed", async () => {
      const memory = MemoryFileSystem.from(FILES);
      let isClosed = true;
      const partly: FileSystem = {
        ...selectMethods(memory, () => true),
        readdir: (path) => {
          if (path === "/b" && isClosed) throw new FileError("EACCES");
          return memory.readdir(path);
        },
      };
      const drive = new Drive(quota(partly, { bytes: 10 }));
      await expectFailure("EACCES", () => drive.open("/new", "write create"));
      await expectFailure("EACCES", () => drive.remove("/a"));
      expect((await drive.read("/a")).toString()).toBe("0123");
      isClosed = false;
      await drive.write("/new", "012");
      expect(await treeSize(memory)).toBe(10);
    });
  });

  it("counts each file once where the file system lists `.` and `..`", async () => {
    expect(await treeSize(dotted(MemoryFileSystem.from({ "/a/b/file": "01234", "/other": "567" })))).toBe(8);
  });

  it("shows in the statistics, as far as it is the narrower limit", async () => {
    const memory = new MemoryFileSystem({ quota: 2 ** 20 });
    const statistics = memory.statvfs("/");
    const narrow = new Drive(quota(memory, { bytes: 100_000 }));
    expect(await narrow.statvfs("/")).toEqual({ ...statistics, blocks: 24, freeBlocks: 24, availableBlocks: 24 });
    await narrow.write("/file", Buffer.alloc(5000));
    expect(await narrow.statvfs("/")).toMatchObject({ blocks: 24, freeBlocks: 23, availableBlocks: 23 });
    expect(await new Drive(quota(memory, { bytes: 2 ** 40 })).statvfs("/")).toEqual(memory.statvfs("/"));
  });

  it("has the methods of what it wraps", async () => {
    const memory = new MemoryFileSystem();
    expect(Object.keys(quota({ readdir: () => [] }, { bytes: 1 }))).toEqual(["readdir", "usage"]);
    expect(Object.keys(quota(memory, { bytes: 1 })).sort()).toEqual(
      [...Object.keys(selectMethods(memory, () => true)), "usage"].sort(),
    );
    const bare: FileSystem = { open: () => ({ stat: () => memory.lstat("/") }) };
    const handle = await quota(bare, { bytes: 1 }).open?.("/file", openOptions("read"));
    expect(Object.keys(handle ?? {}).sort()).toEqual(["close", "stat"]);
    await handle?.close?.(COMPLETED);
  });

  it("closes what it opened when it cannot count it", async () => {
    let open = 0;
    const withoutStat: FileSystem = {
      open: () => {
        open++;
        return { read: () => 0, close: () => void open-- };
      },
    };
    const drive = new Drive(quota(withoutStat, { bytes: 1, used: 0 }));
    await expectFailure("ENOTSUP", () => drive.open("/file", "read"));
    expect(open).toBe(0);
  });

  it("knows a closed file no longer by what identified it", async () => {
    const memory = MemoryFileSystem.from({ "/large": "01234567" });
    const reused = withHandles(memory, (handle) => ({ ...selectHandleMethods(handle), identity: "1" }));
    const drive = new Drive(quota(reused, { bytes: 10 }));
    await drive.read("/large");
    await expectFailure("EDQUOT", () => drive.write("/other", "012"));
  });

  it("goes with other wrappers", async () => {
    const memory = MemoryFileSystem.from({ "/file": "content" });
    const drive = new Drive(quota(readOnly(memory), { bytes: 100 }));
    expect((await drive.read("/file")).toString()).toBe("content");
    await expectFailure("EROFS", () => drive.write("/file", "x"));
    await expectFailure("EROFS", () => drive.remove("/file"));
    expect(await drive.statvfs("/")).toMatchObject({ readOnly: true, blocks: 0 });
  });

  describe("tells how much is used", () => {
    it("with what is being written, and beyond the limit", async () => {
      const files = quota(MemoryFileSystem.from({ "/a": "0123", "/b/c": "45" }), { bytes: 10 });
      expect(await files.usage()).toEqual({ used: 6, limit: 10, left: 4 });
      const drive = new Drive(files);
      const file = await drive.open("/new", "write create");
      await file.write("678", 0);
      expect(await files.usage()).toEqual({ used: 9, limit: 10, left: 1 });
      await file.close();
      await drive.remove("/a");
      expect(await files.usage()).toEqual({ used: 5, limit: 10, left: 5 });
      const full = quota(MemoryFileSystem.from({ "/a": "0123" }), { bytes: 3 });
      expect(await full.usage()).toEqual({ used: 4, limit: 3, left: 0 });
    });

    it("without a look at the tree where it is known, and with one look where it is not", async () => {
      let looks = 0;
      const memory = MemoryFileSystem.from({ "/file": "0123" });
      const watched: FileSystem = {
        ...selectMethods(memory, () => true),
        readdir: (path) => {
          looks++;
          return memory.readdir(path);
        },
      };
      expect(await quota(watched, { bytes: 10, used: 7 }).usage()).toEqual({ used: 7, limit: 10, left: 3 });
      expect(looks).toBe(0);
      const files = quota(watched, { bytes: 10 });
      await Promise.all([files.usage(), files.usage(), new Drive(files).write("/new", "4")]);
      expect(await files.usage()).toEqual({ used: 5, limit: 10, left: 5 });
      expect(looks).toBe(1);
    });

    it("when the tree can be listed again", async () => {
      let isBroken = true;
      const memory = new MemoryFileSystem();
      const broken: FileSystem = {
        ...selectMethods(memory, () => true),
        readdir: (path) => {
          if (isBroken) throw new FileError("EIO");
          return memory.readdir(path);
        },
      };
      const files = quota(broken, { bytes: 10 });
      await expect(files.usage()).rejects.toThrow("Input/output error");
      isBroken = false;
      expect(await files.usage()).toEqual({ used: 0, limit: 10, left: 10 });
    });

    it("by statvfs, also where the tree has none of its own", async () => {
      const memory = MemoryFileSystem.from({ "/file": "x".repeat(4096), "/link": "" });
      memory.remove("/link");
      memory.symlink("file", "/link");
      const stored = selectMethods(memory, (name) => name !== "statvfs");
      const drive = new Drive(quota(stored, { bytes: 10 * 4096 }));
      expect(await drive.statvfs("/file")).toMatchObject({ blockSize: 4096, blocks: 10, freeBlocks: 9 });
      await expectFailure("ENOENT", () => drive.statvfs("/none"));
      await expect(drive.statvfs("/link")).rejects.toThrow(LinkInPathError);
    });
  });

  describe("warns", () => {
    const told: object[] = [];
    const warned = async (fileSystem: FileSystem, warnAt: number, bytes = 100) => {
      told.length = 0;
      const files = quota(fileSystem, { bytes, warnAt, onWarning: (usage) => void told.push(usage) });
      await files.usage();
      return new Drive(files);
    };

    it("once when the share is used, and again after less was", async () => {
      const drive = await warned(new MemoryFileSystem(), 0.5);
      await drive.write("/a", "x".repeat(49));
      expect(told).toEqual([]);
      await drive.write("/b", "x");
      expect(told).toEqual([{ used: 50, limit: 100, left: 50 }]);
      await drive.write("/c", "x".repeat(30));
      expect(told).toHaveLength(1);
      await drive.remove("/a");
      await drive.write("/d", "x".repeat(10));
      expect(told).toHaveLength(1);
      await drive.write("/e", "x".repeat(20));
      expect(told).toEqual([
        { used: 50, limit: 100, left: 50 },
        { used: 61, limit: 100, left: 39 },
      ]);
    });

    it("when more is used already", async () => {
      await warned(MemoryFileSystem.from({ "/a": "x".repeat(150) }), 0.9);
      expect(told).toEqual([{ used: 150, limit: 100, left: 0 }]);
    });

    it("and whatever its listener throws harms nobody", async () => {
      const thrown = [() => Promise.reject(new Error("too late")), () => expect.unreachable("at once")];
      const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
      onTestFinished(() => written.mockRestore());
      for (const onWarning of thrown) {
        const drive = new Drive(quota(new MemoryFileSystem(), { bytes: 10, warnAt: 0, onWarning }));
        await drive.write("/a", "0123456789");
        expect((await drive.read("/a")).toString()).toBe("0123456789");
      }
      const lines = written.mock.calls.map(([line]) => String(line));
      expect(lines).toEqual([expect.stringContaining("too late"), expect.stringContaining("at once")]);
    });
  });

  it.each([
    { bytes: -1 },
    { bytes: Number.NaN },
    { bytes: 1.5 },
    { bytes: 1, used: -1 },
    { bytes: 1, used: 0.5 },
    { bytes: 1, warnAt: 0.5 },
    { bytes: 1, onWarning: () => {} },
  ])("cannot be %o", (options) => {
    expect(() => quota(new MemoryFileSystem(), options)).toThrow(ConfigurationError);
  });

  describe.each([
    ["of all kinds", steps, 300_000],
    ["that meet on two files", meetingSteps, 150],
  ])("with random requests %s at the same time", (_kind, requests, bytes) => {
    it("is never exceeded, and in the end counts what is there", async () => {
      const rounds = fc.array(fc.array(requests, { minLength: 1, maxLength: 8 }), { size: "max", maxLength: 25 });
      await fc.assert(
        fc.asyncProperty(rounds, fc.nat(), async (run, seed) => {
          const memory = new MemoryFileSystem();
          const watched = new WatchedFileSystem(memory);
          const shared = quota(slow(watched.fileSystem, seed), { bytes });
          const session: State = { drive: new Drive(shared), files: [] };
          for (const round of run) await Promise.allSettled(round.map((taken) => taken(session)));
          await session.drive[Symbol.asyncDispose]();
          expect(watched.mostBytes).toBeLessThanOrEqual(bytes);
          expect(await free(new Drive(shared))).toBe(bytes - (await treeSize(memory)));
        }),
        { numRuns: extent(150, 300) },
      );
    });
  });
});
