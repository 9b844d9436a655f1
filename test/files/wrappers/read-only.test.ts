import { describe, expect, it } from "vitest";
import { COMPLETED } from "../../../src/files/file-outcome.js";
import type { FileSystem } from "../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { FOR_READING } from "../../../src/files/open-options.js";
import { readOnly } from "../../../src/files/wrappers/read-only.js";
import { Drive, expectFailure } from "../conformance/drive.js";
import { describeFileSystem } from "../conformance.js";

describeFileSystem(
  "readOnly",
  async () => {
    const writable = new MemoryFileSystem();
    return { fileSystem: readOnly(writable), writable };
  },
  "read-only",
);

describe("readOnly", () => {
  function withFiles() {
    const memory = MemoryFileSystem.from({ "/file": "content", "/directory/inner": "" });
    memory.symlink("file", "/link");
    return { memory, fileSystem: readOnly(memory), drive: new Drive(readOnly(memory)) };
  }

  it("refuses every way to change something", async () => {
    const { memory, drive } = withFiles();
    const before = [memory.lstat("/"), memory.lstat("/file"), memory.lstat("/directory")];
    for (const path of ["/file", "/link", "/new", "/missing/new", "/directory"]) {
      for (const flags of ["write", "read write", "write append", "write create", "read create", "write truncate"]) {
        await expectFailure("EROFS", () => drive.open(path, flags));
      }
      await expectFailure("EROFS", () => drive.open(path, "read append"));
      await expectFailure("EROFS", () => drive.open(path, "read truncate"));
      await expectFailure("EROFS", () => drive.setstat(path, { permissions: 0o777 }));
      await expectFailure("EROFS", () => drive.setstat(path, {}));
      await expectFailure("EROFS", () => drive.remove(path));
      await expectFailure("EROFS", () => drive.mkdir(path));
      await expectFailure("EROFS", () => drive.rmdir(path));
      await expectFailure("EROFS", () => drive.rename(path, "/other"));
      await expectFailure("EROFS", () => drive.posixRename("/file", path));
      await expectFailure("EROFS", () => drive.symlink("target", path));
      await expectFailure("EROFS", () => drive.hardlink("/file", path));
    }
    expect([memory.lstat("/"), memory.lstat("/file"), memory.lstat("/directory")]).toEqual(before);
    expect([...memory.readdir("/")]).toHaveLength(3);
    expect(memory.readFile("/file").toString()).toBe("content");
  });

  it("refuses to change through a handle, whatever that could do", async () => {
    const { memory } = withFiles();
    const careless: FileSystem = { open: () => memory.open("/file", { ...FOR_READING, write: true }) };
    const file = await new Drive(readOnly(careless)).open("/file", "read");
    await expectFailure("EROFS", () => file.write("x", 0));
    await expectFailure("EROFS", () => file.setstat({ size: 0 }));
    await expectFailure("EROFS", () => file.setstat({ times: { accessTime: 0, modifyTime: 0 } }));
    await file.fsync();
    await file.close();
    expect(memory.readFile("/file").toString()).toBe("content");
  });

  it("says permission denied", async () => {
    const { fileSystem } = withFiles();
    expect(() => fileSystem.remove?.("/file")).toThrow(
      expect.objectContaining({ code: "EROFS", message: "Read-only file system" }),
    );
  });

  it("says in its statistics that it is read-only", async () => {
    const { memory, drive } = withFiles();
    expect(await drive.statvfs("/")).toEqual({ ...memory.statvfs("/"), readOnly: true });
  });

  it("has the methods of what it wraps", async () => {
    const { memory, fileSystem } = withFiles();
    expect(Object.keys(readOnly({ lstat: memory.lstat, remove: memory.remove })).sort()).toEqual(["lstat", "remove"]);
    expect(fileSystem.userNames).toBeUndefined();
    const bare = readOnly({ open: () => ({ read: () => 0 }) });
    const handle = await bare.open?.("/file", FOR_READING);
    expect(Object.keys(handle ?? {}).sort()).toEqual(["close", "read"]);
    await handle?.close?.(COMPLETED);
  });

  it("passes on names of users and groups", async () => {
    const names = readOnly({ userNames: () => ["user"], groupNames: () => ["group"] });
    expect(await names.userNames?.([1])).toEqual(["user"]);
    expect(await names.groupNames?.([1])).toEqual(["group"]);
  });
});
