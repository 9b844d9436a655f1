import { beforeEach, describe, expect, it } from "vitest";
import { type Drive, expectFailure, expectLinkInPath } from "./drive.js";

export function describeRenaming(drive: () => Drive): void {
  describe("renaming", () => {
    beforeEach(async () => {
      await drive().write("/file", "file");
      await drive().write("/other", "other");
      await drive().mkdir("/full");
      await drive().write("/full/inner", "inner");
      await drive().mkdir("/empty");
      await drive().symlink("file", "/link");
    });

    const bothWays = [
      ["rename", (from: string, to: string) => drive().rename(from, to)],
      ["posixRename", (from: string, to: string) => drive().posixRename(from, to)],
    ] as const;

    describe.each(bothWays)("by %s", (_name, rename) => {
      it("moves files, directories and links", async () => {
        await rename("/file", "/full/file");
        await rename("/full", "/empty/moved");
        await rename("/link", "/empty/moved/link");
        expect(await drive().list("/")).toEqual(["empty", "other"]);
        expect(await drive().list("/empty/moved")).toEqual(["file", "inner", "link"]);
        expect((await drive().read("/empty/moved/file")).toString()).toBe("file");
        expect(await drive().readlink("/empty/moved/link")).toBe("file");
      });

      it("keeps what a file is", async () => {
        await drive().setstat("/file", { permissions: 0o751, times: { accessTime: 1000, modifyTime: 2000 } });
        await rename("/file", "/renamed");
        expect(await drive().lstat("/renamed")).toMatchObject({ size: 4, permissions: 0o751, modifyTime: 2000 });
      });

      it("puts no directory into itself", async () => {
        await expectFailure("EINVAL", () => rename("/full", "/full/itself"));
        await drive().mkdir("/full/deeper");
        await expectFailure("EINVAL", () => rename("/full", "/full/deeper/itself"));
        expect(await drive().list("/full")).toEqual(["deeper", "inner"]);
        expect(await drive().list("/full/deeper")).toEqual([]);
      });

      it("does not take a name that starts alike for a directory in itself", async () => {
        await rename("/full", "/full-of-files");
        expect(await drive().list("/full-of-files")).toEqual(["inner"]);
      });

      it("fails where there is nothing, or no directory for it", async () => {
        await expectFailure("ENOENT", () => rename("/missing", "/new"));
        await expectFailure("ENOENT", () => rename("/file", "/missing/new"));
        await expectFailure("ENOTDIR", () => rename("/file", "/other/new"));
        await expectFailure("ENOTDIR", () => rename("/file/missing", "/new"));
        await drive().symlink("full", "/full-link");
        await expectLinkInPath(() => rename("/full-link/inner", "/new"));
        await expectLinkInPath(() => rename("/file", "/full-link/new"));
        expect((await drive().read("/file")).toString()).toBe("file");
        expect(await drive().list("/full")).toEqual(["inner"]);
      });

      it("makes a new name right away after the old one was taken", async () => {
        await rename("/file", "/renamed");
        await drive().write("/file", "again");
        expect((await drive().read("/renamed")).toString()).toBe("file");
      });
    });

    it("by rename replaces nothing", async () => {
      for (const source of ["/file", "/full", "/link"]) {
        for (const target of ["/other", "/empty", "/link", "/file", "/full"]) {
          await expectFailure("EEXIST", () => drive().rename(source, target));
        }
      }
      expect(await drive().list("/")).toEqual(["empty", "file", "full", "link", "other"]);
      expect((await drive().read("/other")).toString()).toBe("other");
      expect((await drive().read("/file")).toString()).toBe("file");
    });

    it("by posixRename replaces a file", async () => {
      await drive().posixRename("/file", "/other");
      expect((await drive().read("/other")).toString()).toBe("file");
      expect(await drive().list("/")).toEqual(["empty", "full", "link", "other"]);
    });

    it("by posixRename replaces an empty directory by a directory", async () => {
      await drive().posixRename("/full", "/empty");
      expect(await drive().list("/empty")).toEqual(["inner"]);
      expect(await drive().list("/")).not.toContain("full");
    });

    it("by posixRename replaces no full directory, and nothing of another kind", async () => {
      await expectFailure("ENOTEMPTY", () => drive().posixRename("/empty", "/full"));
      await expectFailure("EISDIR", () => drive().posixRename("/file", "/empty"));
      await expectFailure("EISDIR", () => drive().posixRename("/link", "/empty"));
      await expectFailure("ENOTDIR", () => drive().posixRename("/empty", "/file"));
      await expectFailure("ENOTDIR", () => drive().posixRename("/empty", "/link"));
      await expect(drive().posixRename("/full/inner", "/full")).rejects.toThrow();
      await expect(drive().posixRename("/full/inner", "/")).rejects.toThrow();
      expect(await drive().list("/")).toEqual(["empty", "file", "full", "link", "other"]);
      expect(await drive().list("/full")).toEqual(["inner"]);
    });

    it("by posixRename to another name of the same file does nothing", async () => {
      await drive().hardlink("/file", "/second");
      await drive().posixRename("/file", "/second");
      await drive().posixRename("/file", "/file");
      await drive().posixRename("/full", "/full");
      expect(await drive().list("/")).toEqual(["empty", "file", "full", "link", "other", "second"]);
      expect((await drive().lstat("/second")).links).toBe(2);
    });
  });
}
