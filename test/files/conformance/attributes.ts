import { beforeEach, describe, expect, it } from "vitest";
import { type Drive, expectFailure } from "./drive.js";

export function describeAttributes(drive: () => Drive): void {
  describe("setstat", () => {
    beforeEach(async () => {
      await drive().write("/file", "0123456789");
      await drive().mkdir("/directory");
    });

    it("cuts a file and fills it up with zeros", async () => {
      await drive().setstat("/file", { size: 4 });
      expect((await drive().read("/file")).toString()).toBe("0123");
      await drive().setstat("/file", { size: 7 });
      expect((await drive().read("/file")).toString()).toBe("0123\0\0\0");
      await drive().setstat("/file", { size: 100_000 });
      expect(await drive().lstat("/file")).toMatchObject({ size: 100_000 });
      await drive().setstat("/file", { size: 0 });
      expect(await drive().read("/file")).toHaveLength(0);
    });

    it("changes the modification time with the size", async () => {
      await drive().setstat("/file", { times: { accessTime: 1000, modifyTime: 2000 } });
      await drive().setstat("/file", { size: 5 });
      expect((await drive().lstat("/file")).modifyTime).toBeGreaterThan(2000);
    });

    it("changes permissions, whatever the umask", async () => {
      for (const permissions of [0o777, 0o4755, 0o1600, 0o400]) {
        await drive().setstat("/file", { permissions });
        expect((await drive().lstat("/file")).permissions).toBe(permissions);
      }
      await drive().setstat("/directory", { permissions: 0o1770 });
      expect(await drive().lstat("/directory")).toMatchObject({ type: "directory", permissions: 0o1770 });
    });

    it("changes times, of directories too", async () => {
      for (const path of ["/file", "/directory"]) {
        for (const times of [
          { accessTime: 0, modifyTime: 0 },
          { accessTime: 1_000_000_000, modifyTime: 1_100_000_000 },
          { accessTime: 4_294_967_295, modifyTime: 4_294_967_295 },
        ]) {
          await drive().setstat(path, { times });
          expect(await drive().lstat(path)).toMatchObject(times);
        }
      }
    });

    it("makes several changes at once; the times are as asked then", async () => {
      const times = { accessTime: 1000, modifyTime: 2000 };
      await drive().setstat("/file", { size: 3, permissions: 0o640, times });
      expect(await drive().lstat("/file")).toMatchObject({ size: 3, permissions: 0o640, ...times });
    });

    it("leaves what it is not told to change", async () => {
      await drive().setstat("/file", { permissions: 0o640, times: { accessTime: 1000, modifyTime: 2000 } });
      const before = await drive().lstat("/file");
      await drive().setstat("/file", {});
      expect(await drive().lstat("/file")).toEqual(before);
      await drive().setstat("/file", { permissions: 0o600 });
      expect(await drive().lstat("/file")).toEqual({ ...before, permissions: 0o600 });
    });

    it("does not cut a directory", async () => {
      await expectFailure("EISDIR", () => drive().setstat("/directory", { size: 0 }));
      await expectFailure("ENOENT", () => drive().setstat("/missing", { permissions: 0o600 }));
      await expectFailure("ENOTDIR", () => drive().setstat("/file/missing", { permissions: 0o600 }));
    });
  });

  it("shows when content and entries last changed", async () => {
    await drive().mkdir("/directory");
    const old = { accessTime: 1000, modifyTime: 2000 };
    const modifyTime = async (path: string) => (await drive().lstat(path)).modifyTime;
    const changes = [
      () => drive().write("/directory/file", "content"),
      () => drive().symlink("file", "/directory/link"),
      () => drive().mkdir("/directory/inner"),
      () => drive().rename("/directory/file", "/directory/renamed"),
      () => drive().hardlink("/directory/renamed", "/directory/second"),
      () => drive().remove("/directory/second"),
      () => drive().rmdir("/directory/inner"),
    ];
    for (const change of changes) {
      await drive().setstat("/directory", { times: old });
      await change();
      expect(await modifyTime("/directory")).toBeGreaterThan(2000);
    }
    await drive().setstat("/directory/renamed", { times: old });
    await drive().read("/directory/renamed");
    expect(await modifyTime("/directory/renamed")).toBe(2000);
    const file = await drive().open("/directory/renamed", "write");
    await file.write("x", 0);
    expect(await modifyTime("/directory/renamed")).toBeGreaterThan(2000);
  });
}
