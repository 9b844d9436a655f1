import { beforeEach, describe, expect, it } from "vitest";
import { extent } from "../../support/extent.js";
import { type Drive, expectFailure, expectLinkInPath } from "./drive.js";

/** More than a batch of a listing, so that it goes on after what changes. */
const COUNT = extent(150, 300);

export function describeDirectories(drive: () => Drive): void {
  describe("directories", () => {
    beforeEach(async () => {
      await drive().mkdir("/directory");
      await drive().write("/directory/file", "content");
      await drive().symlink("directory", "/link");
      await drive().symlink("missing", "/dangling");
    });

    it("are made with the permissions that were asked for, less the umask", async () => {
      for (const [asked, given] of [
        [0o777, 0o755],
        [0o700, 0o700],
        [0o500, 0o500],
      ] as const) {
        const path = `/${asked.toString(8)}`;
        await drive().mkdir(path, asked);
        expect(await drive().lstat(path)).toMatchObject({ type: "directory", permissions: given });
      }
    });

    it("are made only where there is room", async () => {
      await expectFailure("EEXIST", () => drive().mkdir("/directory"));
      await expectFailure("EEXIST", () => drive().mkdir("/directory/file"));
      await expectFailure("EEXIST", () => drive().mkdir("/dangling"));
      await expectFailure("EEXIST", () => drive().mkdir("/"));
      await expectFailure("ENOENT", () => drive().mkdir("/missing/new"));
      await expectFailure("ENOTDIR", () => drive().mkdir("/directory/file/new"));
      await expectLinkInPath(() => drive().mkdir("/link/new"));
      expect(await drive().list("/directory")).toEqual(["file"]);
    });

    it("can be removed when they are empty", async () => {
      await expectFailure("ENOTEMPTY", () => drive().rmdir("/directory"));
      await drive().remove("/directory/file");
      await drive().rmdir("/directory");
      expect(await drive().list("/")).toEqual(["dangling", "link"]);
    });

    it("are all that rmdir removes", async () => {
      await expectFailure("ENOTDIR", () => drive().rmdir("/directory/file"));
      await expectFailure("ENOTDIR", () => drive().rmdir("/link"));
      await expectFailure("ENOENT", () => drive().rmdir("/missing"));
      await drive().mkdir("/directory/empty");
      await expectLinkInPath(() => drive().rmdir("/link/empty"));
      expect(await drive().list("/directory")).toEqual(["empty", "file"]);
    });

    it("are not removed by remove", async () => {
      await drive().mkdir("/empty");
      await expectFailure("EISDIR", () => drive().remove("/empty"));
      await expectFailure("EISDIR", () => drive().remove("/"));
      await expectFailure("ENOENT", () => drive().remove("/missing"));
      await expectFailure("ENOTDIR", () => drive().remove("/directory/file/missing"));
      await expectLinkInPath(() => drive().remove("/link/file"));
      expect(await drive().list("/directory")).toEqual(["file"]);
    });

    it("do not contain what was removed", async () => {
      await drive().remove("/directory/file");
      expect(await drive().list("/directory")).toEqual([]);
      await expectFailure("ENOENT", () => drive().remove("/directory/file"));
    });

    it("have a root that cannot be removed or moved", async () => {
      await drive().remove("/directory/file");
      await drive().rmdir("/directory");
      await drive().remove("/link");
      await drive().remove("/dangling");
      await expect(drive().rmdir("/")).rejects.toThrow();
      await expect(drive().rename("/", "/moved")).rejects.toThrow();
      await expect(drive().posixRename("/", "/moved")).rejects.toThrow();
      expect(await drive().list("/")).toEqual([]);
    });

    it("can change while they are listed", async () => {
      await drive().mkdir("/busy");
      for (let index = 0; index < COUNT; index++) await drive().write(`/busy/old${index}`, "");
      const seen: string[] = [];
      for await (const { name } of drive().fileSystem.readdir?.("/busy") ?? []) {
        if (seen.length < COUNT / 3) {
          await drive().write(`/busy/new${seen.length}`, "");
          await drive().remove(`/busy/old${COUNT - 1 - seen.length}`);
        }
        seen.push(name);
      }
      expect(new Set(seen).size).toBe(seen.length);
      for (let index = 0; index < (2 * COUNT) / 3; index++) expect(seen).toContain(`old${index}`);
      expect(seen.every((name) => /^(old|new)\d+$/.test(name))).toBe(true);
    });

    it("can disappear while they are listed", async () => {
      await drive().mkdir("/busy");
      await drive().write("/busy/first", "");
      await drive().write("/busy/second", "");
      const entries = drive().fileSystem.readdir?.("/busy") ?? [];
      const iterator = Symbol.asyncIterator in entries ? entries[Symbol.asyncIterator]() : entries[Symbol.iterator]();
      await iterator.next();
      await drive().remove("/busy/first");
      await drive().remove("/busy/second");
      await drive().rmdir("/busy");
      for (let count = 0; count < 2 && !(await iterator.next()).done; count++);
      expect((await iterator.next()).done).toBe(true);
    });

    it("can lie a hundred levels deep", async () => {
      let path = "";
      for (let depth = 0; depth < 100; depth++) {
        path += "/nested";
        await drive().mkdir(path);
      }
      await drive().write(`${path}/file`, "deep");
      expect((await drive().read(`${path}/file`)).toString()).toBe("deep");
    });
  });
}
