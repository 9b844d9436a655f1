import { beforeEach, describe, expect, it } from "vitest";
import { type Drive, expectFailure, expectLinkInPath } from "./drive.js";

export function describeLinks(drive: () => Drive, isAtomic: boolean): void {
  describe("symbolic links", () => {
    beforeEach(async () => {
      await drive().write("/file", "content");
      await drive().mkdir("/directory");
      await drive().write("/directory/inner", "inner");
      await drive().symlink("file", "/file-link");
      await drive().symlink("directory", "/link");
      await drive().symlink("/missing", "/dangling");
    });

    it("are made only where there is room", async () => {
      for (const path of ["/file", "/directory", "/file-link", "/dangling", "/"]) {
        await expectFailure("EEXIST", () => drive().symlink("file", path));
      }
      await expectFailure("ENOENT", () => drive().symlink("file", "/missing/new"));
      await expectFailure("ENOTDIR", () => drive().symlink("file", "/file/new"));
      await expectFailure("ENOENT", () => drive().symlink("", "/new"));
      await expectLinkInPath(() => drive().symlink("file", "/link/new"));
      expect(await drive().readlink("/file-link")).toBe("file");
      expect(await drive().list("/directory")).toEqual(["inner"]);
    });

    it("are no way to anything", async () => {
      const through = "/link/inner";
      await expectLinkInPath(() => drive().open(through, "read"));
      await expectLinkInPath(() => drive().open(through, "write truncate"));
      await expectLinkInPath(() => drive().lstat(through));
      await expectLinkInPath(() => drive().setstat(through, { size: 0 }));
      await expectLinkInPath(() => drive().list("/link/directory"));
      await expectLinkInPath(() => drive().remove(through));
      await expectLinkInPath(() => drive().mkdir("/link/new"));
      await expectLinkInPath(() => drive().rmdir("/link/new"));
      await expectLinkInPath(() => drive().rename(through, "/new"));
      await expectLinkInPath(() => drive().rename("/file", "/link/new"));
      await expectLinkInPath(() => drive().posixRename(through, "/new"));
      await expectLinkInPath(() => drive().posixRename("/file", through));
      await expectLinkInPath(() => drive().readlink(through));
      await expectLinkInPath(() => drive().symlink("target", "/link/new"));
      await expectLinkInPath(() => drive().hardlink(through, "/new"));
      await expectLinkInPath(() => drive().hardlink("/file", "/link/new"));
      await expectLinkInPath(() => drive().statvfs(through));
      expect(await drive().list("/directory")).toEqual(["inner"]);
      expect((await drive().read("/directory/inner")).toString()).toBe("inner");
      expect(await drive().list("/")).toEqual(["dangling", "directory", "file", "file-link", "link"]);
    });

    it("are removed themselves", async () => {
      await drive().remove("/file-link");
      await drive().remove("/link");
      await drive().remove("/dangling");
      expect(await drive().list("/")).toEqual(["directory", "file"]);
      expect(await drive().list("/directory")).toEqual(["inner"]);
    });

    it("are renamed and replaced themselves", async () => {
      await drive().rename("/link", "/renamed");
      expect(await drive().readlink("/renamed")).toBe("directory");
      await drive().posixRename("/file", "/file-link");
      expect((await drive().read("/file-link")).toString()).toBe("content");
      await drive().posixRename("/renamed", "/dangling");
      expect(await drive().readlink("/dangling")).toBe("directory");
      expect(await drive().list("/")).toEqual(["dangling", "directory", "file-link"]);
    });

    it("are changed themselves", async () => {
      const before = { file: await drive().lstat("/file"), directory: await drive().lstat("/directory") };
      await drive().setstat("/file-link", { times: { accessTime: 1000, modifyTime: 2000 } });
      expect(await drive().lstat("/file-link")).toMatchObject({ type: "symlink", modifyTime: 2000 });
      await expect(drive().setstat("/file-link", { size: 0 })).rejects.toThrow();
      // Links have no permissions of their own on Linux, and have on macOS.
      await drive()
        .setstat("/link", { permissions: 0o711 })
        .catch(() => undefined);
      expect(await drive().lstat("/file")).toEqual(before.file);
      expect(await drive().lstat("/directory")).toEqual(before.directory);
    });

    it("may have targets of 4,095 bytes", async () => {
      const target = "t".repeat(4095);
      await drive().symlink(target, "/long");
      expect(await drive().readlink("/long")).toBe(target);
      await expectFailure("ENAMETOOLONG", () => drive().symlink(`${target}t`, "/longer"));
    });
  });

  describe("hard links", () => {
    beforeEach(async () => {
      await drive().write("/file", "content");
      await drive().mkdir("/directory");
      await drive().symlink("file", "/link");
      await drive().hardlink("/file", "/directory/name");
    });

    it.skipIf(isAtomic)("are names of one file", async () => {
      await drive().write("/directory/name", "changed");
      await drive().setstat("/file", { permissions: 0o600 });
      expect((await drive().read("/file")).toString()).toBe("changed");
      expect(await drive().lstat("/directory/name")).toEqual(await drive().lstat("/file"));
      expect((await drive().lstat("/file")).links).toBe(2);
    });

    it("keep the file until the last is gone", async () => {
      const file = await drive().open("/file", "read");
      await drive().remove("/file");
      expect((await drive().read("/directory/name")).toString()).toBe("content");
      expect((await file.stat()).links).toBe(1);
      await drive().rename("/directory/name", "/file");
      expect((await drive().lstat("/file")).links).toBe(1);
    });

    it("can be made to a link itself", async () => {
      await drive().hardlink("/link", "/second-link");
      expect(await drive().lstat("/second-link")).toMatchObject({ type: "symlink", links: 2 });
      expect(await drive().readlink("/second-link")).toBe("file");
    });

    it("are made only of files, where there is room", async () => {
      await expectFailure("EPERM", () => drive().hardlink("/directory", "/new"));
      await expectFailure("ENOENT", () => drive().hardlink("/missing", "/new"));
      await expectFailure("ENOENT", () => drive().hardlink("/file", "/missing/new"));
      await expectFailure("ENOTDIR", () => drive().hardlink("/file", "/directory/name/new"));
      for (const path of ["/file", "/directory", "/link", "/directory/name"]) {
        await expectFailure("EEXIST", () => drive().hardlink("/file", path));
      }
      expect((await drive().lstat("/file")).links).toBe(2);
    });
  });
}
