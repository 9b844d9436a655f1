import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/base/configuration-error.js";
import { LinkInPathError } from "../../../src/files/errors.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { openOptions } from "../conformance/drive.js";

const NAME_COST = 1024;
const KIB = Buffer.alloc(1024, "k");

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function arrayBuffers(): number {
  // Buffers die in two steps: the object in one collection, its memory after it.
  for (let round = 0; round < 3; round++) collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe("MemoryFileSystem", () => {
  describe("for tests", () => {
    it("starts with files", () => {
      const fileSystem = MemoryFileSystem.from({
        "/docs/readme.txt": "hello",
        "/docs/deep/er/data": Buffer.of(0, 255),
        "no-slash": "ü",
      });
      expect(fileSystem.readFile("/docs/readme.txt").toString()).toBe("hello");
      expect(fileSystem.readFile("/docs/deep/er/data")).toEqual(Buffer.of(0, 255));
      expect(fileSystem.readFile("/no-slash")).toEqual(Buffer.from("ü", "utf8"));
      expect([...fileSystem.readdir("/")].map(({ name }) => name)).toEqual(["docs", "no-slash"]);
      expect(fileSystem.lstat("/docs")).toMatchObject({ type: "directory", permissions: 0o755 });
      expect(fileSystem.lstat("/docs/readme.txt")).toMatchObject({ type: "file", permissions: 0o644 });
    });

    it("replaces a file whole, with a copy of what it is given", () => {
      const content = Buffer.from("new");
      const fileSystem = MemoryFileSystem.from({ "/file": "old and longer" });
      fileSystem.writeFile("/file", content);
      content.fill("x");
      expect(fileSystem.readFile("/file").toString()).toBe("new");
    });

    it("reads and writes files only", () => {
      const fileSystem = MemoryFileSystem.from({ "/directory/file": "" });
      fileSystem.symlink("directory", "/link");
      expect(() => fileSystem.readFile("/directory")).toThrow("Is a directory");
      expect(() => fileSystem.readFile("/missing")).toThrow("No such file or directory");
      expect(() => fileSystem.readFile("/link")).toThrow(LinkInPathError);
      expect(() => fileSystem.writeFile("/directory", "")).toThrow("Is a directory");
      expect(() => fileSystem.writeFile("/directory/file/below", "")).toThrow("Not a directory");
      expect(() => fileSystem.writeFile("/link/file", "")).toThrow(LinkInPathError);
      expect(() => fileSystem.writeFile("/", "")).toThrow("Is a directory");
    });
  });

  describe("quota", () => {
    it("ends with what it was given", () => {
      const fileSystem = new MemoryFileSystem({ quota: NAME_COST + 2048 });
      const file = fileSystem.open("/file", openOptions("write create"));
      file.write(KIB, 0);
      file.write(KIB, 1024);
      expect(() => file.write(Buffer.alloc(1), 2048)).toThrow("No space left on device");
      expect(() => file.write(KIB, 1025)).toThrow("No space left on device");
      expect(fileSystem.readFile("/file")).toEqual(Buffer.concat([KIB, KIB]));
      file.write(KIB, 500);
      expect(() => fileSystem.open("/other", openOptions("write create"))).toThrow("No space left on device");
      expect(() => fileSystem.mkdir("/other", 0o777)).toThrow("No space left on device");
      expect(() => fileSystem.symlink("target", "/other")).toThrow("No space left on device");
      expect(() => fileSystem.hardlink("/file", "/other")).toThrow("No space left on device");
      expect(() => fileSystem.setstat("/file", { size: 2049 })).toThrow("No space left on device");
      fileSystem.rename("/file", "/a-much-longer-name");
      expect([...fileSystem.readdir("/")]).toHaveLength(1);
    });

    it.each([2 ** 40, 2 ** 52, Number.MAX_SAFE_INTEGER])("counts what lies before an offset of %d", (offset) => {
      const fileSystem = new MemoryFileSystem();
      const file = fileSystem.open("/file", openOptions("write create"));
      const before = process.memoryUsage().arrayBuffers;
      expect(() => file.write(KIB, offset)).toThrow("No space left on device");
      expect(() => file.setstat({ size: offset })).toThrow("No space left on device");
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
      expect(file.stat().size).toBe(0);
    });

    it.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])("knows no offset of %d", (offset) => {
      const file = new MemoryFileSystem().open("/file", openOptions("read write create"));
      expect(() => file.write(KIB, offset)).toThrow("Invalid argument");
      expect(() => file.read(KIB, offset)).toThrow("Invalid argument");
      expect(() => file.setstat({ size: offset })).toThrow("Invalid argument");
    });

    it("limits empty files, too", () => {
      const fileSystem = new MemoryFileSystem({ quota: 100 * NAME_COST });
      const make = () => {
        for (let count = 0; ; count++) fileSystem.open(`/${count}`, openOptions("write create")).close();
      };
      expect(make).toThrow("No space left on device");
      expect([...fileSystem.readdir("/")]).toHaveLength(100);
      expect(fileSystem.statvfs("/")).toMatchObject({ freeBlocks: 0, freeFiles: 0, files: 100 });
    });

    it("gets back what is removed, cut and replaced", () => {
      const quota = 4 * NAME_COST + 4096;
      const fileSystem = new MemoryFileSystem({ quota });
      const { freeFiles } = fileSystem.statvfs("/");
      for (let round = 0; round < 10; round++) {
        fileSystem.writeFile("/directory/file", Buffer.alloc(4096));
        fileSystem.setstat("/directory/file", { size: 0 });
        fileSystem.writeFile("/directory/file", Buffer.alloc(2048));
        fileSystem.writeFile("/other", Buffer.alloc(2048));
        fileSystem.posixRename("/other", "/directory/file");
        fileSystem.hardlink("/directory/file", "/other");
        fileSystem.symlink("target", "/link");
        fileSystem.remove("/link");
        fileSystem.remove("/directory/file");
        fileSystem.remove("/other");
        fileSystem.mkdir("/other", 0o777);
        fileSystem.posixRename("/directory", "/other");
        fileSystem.rmdir("/other");
      }
      expect(fileSystem.statvfs("/").freeFiles).toBe(freeFiles);
    });

    it("holds a removed file until its last handle is closed", () => {
      const fileSystem = new MemoryFileSystem({ quota: 3 * NAME_COST + 4096 });
      fileSystem.writeFile("/file", Buffer.alloc(4096));
      const [first, second] = [1, 2].map(() => fileSystem.open("/file", openOptions("read write")));
      fileSystem.remove("/file");
      const other = fileSystem.open("/other", openOptions("write create"));
      expect(() => other.write(Buffer.alloc(4096), 0)).toThrow("No space left on device");
      first?.close();
      expect(() => other.write(Buffer.alloc(4096), 0)).toThrow("No space left on device");
      second?.close();
      expect(() => second?.close()).toThrow("Bad file descriptor");
      other.write(Buffer.alloc(4096), 0);
    });

    it("covers the memory of files, however they were written", () => {
      const fileSystem = new MemoryFileSystem();
      const before = arrayBuffers();
      for (let index = 0; index < 200; index++) {
        const file = fileSystem.open(`/${index}`, openOptions("write create"));
        file.write(Buffer.alloc(64 * 1024), 0);
        file.setstat({ size: 1 });
        file.close();
      }
      expect(fileSystem.statvfs("/").freeFiles).toBeGreaterThan(64 * 1024 - 202);
      expect(arrayBuffers() - before).toBeLessThan(200 * NAME_COST);
    });

    it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("cannot be %d bytes", (quota) => {
      expect(() => new MemoryFileSystem({ quota })).toThrow(ConfigurationError);
    });

    it("is 64 MiB unless it is set", () => {
      const { blocks, blockSize } = new MemoryFileSystem().statvfs("/");
      expect(blocks * blockSize).toBe(64 * 1024 * 1024);
    });
  });

  it("makes no entry of an impossible name", () => {
    const fileSystem = new MemoryFileSystem();
    expect(() => fileSystem.mkdir("/..", 0o777)).toThrow("Invalid argument");
    expect(() => fileSystem.mkdir("/a\0b", 0o777)).toThrow("Invalid argument");
    expect(() => fileSystem.symlink("a\0b", "/link")).toThrow("Invalid argument");
    fileSystem.mkdir("/a", 0o777);
    expect(() => fileSystem.rename("/a", "/..")).toThrow("Invalid argument");
    expect([...fileSystem.readdir("/")].map(({ name }) => name)).toEqual(["a"]);
  });

  it("does nothing with a closed handle", () => {
    const file = MemoryFileSystem.from({ "/file": "content" }).open("/file", openOptions("read write"));
    file.close();
    const uses = [
      () => file.read(KIB, 0),
      () => file.write(KIB, 0),
      () => file.stat(),
      () => file.setstat({ size: 0 }),
    ];
    for (const use of [...uses, () => file.fsync(), () => file.close()]) expect(use).toThrow("Bad file descriptor");
  });

  it("keeps owners", () => {
    const fileSystem = MemoryFileSystem.from({ "/file": "" });
    fileSystem.setstat("/file", { owner: { uid: 1000, gid: 100 } });
    expect(fileSystem.lstat("/file")).toMatchObject({ uid: 1000, gid: 100 });
  });
});
