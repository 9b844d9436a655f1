import { beforeEach, describe, expect, it } from "vitest";
import { extent } from "../../support/extent.js";
import { expectFailure, expectLinkInPath, pattern, type Subject } from "./drive.js";

/** What can be read, in a tree that is made beforehand. */
export function describeReading(subject: () => Subject): void {
  describe("reading", () => {
    const drive = () => subject().drive;
    const setUp = () => subject().setUp;

    beforeEach(async () => {
      await setUp().write("/file", "some content");
      await setUp().mkdir("/directory");
      await setUp().write("/directory/inner", "inner content");
      await setUp().mkdir("/directory/empty");
      await setUp().symlink("directory", "/link");
      await setUp().symlink("file", "/file-link");
    });

    describe("lstat", () => {
      it("tells files, directories and links apart", async () => {
        expect(await drive().lstat("/")).toMatchObject({ type: "directory" });
        expect(await drive().lstat("/file")).toMatchObject({ type: "file", size: 12 });
        expect(await drive().lstat("/directory")).toMatchObject({ type: "directory" });
        expect(await drive().lstat("/directory/inner")).toMatchObject({ type: "file", size: 13 });
        expect(await drive().lstat("/link")).toMatchObject({ type: "symlink", size: "directory".length });
      });

      it("has permissions without the file's type, and times of today", async () => {
        const { permissions, modifyTime, accessTime } = await drive().lstat("/file");
        expect(permissions & ~0o7777).toBe(0);
        expect(Math.abs(modifyTime - Date.now() / 1000)).toBeLessThan(60);
        expect(Math.abs(accessTime - Date.now() / 1000)).toBeLessThan(60);
      });

      it("fails for what is not there", async () => {
        await expectFailure("ENOENT", () => drive().lstat("/missing"));
        await expectFailure("ENOENT", () => drive().lstat("/missing/missing"));
        await expectFailure("ENOTDIR", () => drive().lstat("/file/missing"));
        await expectLinkInPath(() => drive().lstat("/link/inner"));
        await expectLinkInPath(() => drive().lstat("/link/missing/missing"));
      });
    });

    describe("open to read", () => {
      it("reads at any position, as much as there is", async () => {
        const file = await drive().open("/file", "read");
        expect((await file.read(100, 0)).toString()).toBe("some content");
        expect((await file.read(4, 0)).toString()).toBe("some");
        expect((await file.read(100, 5)).toString()).toBe("content");
        expect((await file.read(3, 5)).toString()).toBe("con");
        expect(await file.read(0, 5)).toHaveLength(0);
      });

      it("reads nothing at the end and behind it", async () => {
        const file = await drive().open("/file", "read");
        expect(await file.read(100, 12)).toHaveLength(0);
        expect(await file.read(100, 13)).toHaveLength(0);
        expect(await file.read(100, 2 ** 40)).toHaveLength(0);
      });

      it("fills the buffer from a larger file, at odd positions too", async () => {
        const content = pattern(300_001);
        await setUp().write("/large", content);
        const file = await drive().open("/large", "read");
        expect(content.equals(await file.read(300_001, 0))).toBe(true);
        for (const position of [1, 65_535, 65_536, 65_537, 131_071, 200_000]) {
          const expected = content.subarray(position, position + 70_000);
          expect(expected.equals(await file.read(70_000, position))).toBe(true);
        }
      });

      it("knows the attributes of the open file", async () => {
        const file = await drive().open("/directory/inner", "read");
        expect(await file.stat()).toEqual(await drive().lstat("/directory/inner"));
      });

      it("cannot write", async () => {
        const file = await drive().open("/file", "read");
        if (file.handle.write !== undefined) await expect(file.write("x", 0)).rejects.toThrow();
        expect((await setUp().read("/file")).toString()).toBe("some content");
      });

      it("fails for what is not a file", async () => {
        await expectFailure("ENOENT", () => drive().open("/missing", "read"));
        await expectFailure("ENOENT", () => drive().open("/missing/missing", "read"));
        await expectFailure("ENOTDIR", () => drive().open("/file/missing", "read"));
        await expectFailure("EISDIR", () => drive().open("/directory", "read"));
        await expectFailure("EISDIR", () => drive().open("/", "read"));
        await expectLinkInPath(() => drive().open("/file-link", "read"));
        await expectLinkInPath(() => drive().open("/link", "read"));
        await expectLinkInPath(() => drive().open("/link/inner", "read"));
      });
    });

    describe("readdir", () => {
      it("lists each entry once, with its own attributes", async () => {
        const entries = await drive().entries("/");
        expect(entries.map(({ name }) => name).sort()).toEqual(["directory", "file", "file-link", "link"]);
        for (const { name, attributes } of entries) expect(attributes).toEqual(await drive().lstat(`/${name}`));
        expect(await drive().list("/directory")).toEqual(["empty", "inner"]);
        expect(await drive().list("/directory/empty")).toEqual([]);
      });

      it("fails for what is not a directory", async () => {
        await expectFailure("ENOENT", () => drive().list("/missing"));
        await expectFailure("ENOTDIR", () => drive().list("/file"));
        await expectFailure("ENOTDIR", () => drive().list("/file/missing"));
        await expectLinkInPath(() => drive().list("/link"));
        await expectLinkInPath(() => drive().list("/file-link"));
        await expectLinkInPath(() => drive().list("/link/empty"));
      });

      it("lists a large directory whole", async () => {
        const names = Array.from({ length: extent(150, 1000) }, (_, index) => `entry ${index}`).sort();
        for (const name of names) await setUp().write(`/directory/empty/${name}`, "");
        expect(await drive().list("/directory/empty")).toEqual(names);
      });

      it("can be left before its end", async () => {
        const entries = drive().fileSystem.readdir?.("/") ?? [];
        const iterator = Symbol.asyncIterator in entries ? entries[Symbol.asyncIterator]() : entries[Symbol.iterator]();
        expect((await iterator.next()).done).toBe(false);
        await iterator.return?.();
        expect((await iterator.next()).done).toBe(true);
        expect(await drive().list("/")).toHaveLength(4);
      });
    });

    describe("readlink", () => {
      it("gives the text of a link, wherever that leads", async () => {
        const targets = ["file", "/directory/inner", "../../etc/passwd", "/", "..", "loop", "a//b/./c", "with space"];
        for (const [index, target] of targets.entries()) {
          await setUp().symlink(target, `/directory/link${index}`);
          expect(await drive().readlink(`/directory/link${index}`)).toBe(target);
        }
      });

      it("fails for what is not a link", async () => {
        await expectFailure("ENOENT", () => drive().readlink("/missing"));
        await expectFailure("EINVAL", () => drive().readlink("/file"));
        await expectFailure("EINVAL", () => drive().readlink("/directory"));
        await expectFailure("EINVAL", () => drive().readlink("/"));
        await expectLinkInPath(() => drive().readlink("/link/inner"));
      });
    });

    describe("statvfs", () => {
      it("tells how much room there is", async () => {
        for (const path of ["/", "/file", "/directory/inner"]) {
          const statistics = await drive().statvfs(path);
          expect(statistics.blockSize).toBeGreaterThan(0);
          expect(statistics.blocks).toBeGreaterThan(0);
          expect(statistics.freeBlocks).toBeLessThanOrEqual(statistics.blocks);
          expect(statistics.availableBlocks).toBeLessThanOrEqual(statistics.freeBlocks);
          expect(statistics.maximumNameLength).toBeGreaterThanOrEqual(255);
        }
      });

      it("fails for what is not there", async () => {
        await expectFailure("ENOENT", () => drive().statvfs("/missing"));
        await expectLinkInPath(() => drive().statvfs("/link"));
        await expectLinkInPath(() => drive().statvfs("/link/inner"));
      });
    });

    it("has one identity for all handles of a file", async () => {
      await setUp().hardlink("/file", "/second-name");
      const first = await drive().open("/file", "read");
      const again = await drive().open("/file", "read");
      const second = await drive().open("/second-name", "read");
      const other = await drive().open("/directory/inner", "read");
      expect(again.handle.identity).toBe(first.handle.identity);
      expect(second.handle.identity).toBe(first.handle.identity);
      if (first.handle.identity !== undefined) expect(other.handle.identity).not.toBe(first.handle.identity);
    });

    it("counts the names of a file", async () => {
      expect((await drive().lstat("/file")).links ?? 1).toBe(1);
      await setUp().hardlink("/file", "/second-name");
      expect((await drive().lstat("/file")).links).toBe(2);
      expect((await drive().lstat("/second-name")).links).toBe(2);
    });
  });
}
