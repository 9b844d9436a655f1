import { beforeEach, describe, expect, it } from "vitest";
import { type Drive, expectFailure, pattern } from "./drive.js";

/** What an open file is, whatever becomes of its name. */
export function describeWriting(drive: () => Drive, isAtomic: boolean): void {
  describe("an open file", () => {
    beforeEach(async () => {
      await drive().write("/file", "0123456789");
    });

    it("is written where asked, and grows as far as needed", async () => {
      const file = await drive().open("/file", "read write");
      await file.write("ab", 3);
      expect((await file.read(100, 0)).toString()).toBe("012ab56789");
      await file.write("cdef", 8);
      expect((await file.read(100, 0)).toString()).toBe("012ab567cdef");
      await file.write("", 5);
      expect((await file.stat()).size).toBe(12);
    });

    it("keeps a copy of what was written", async () => {
      const file = await drive().open("/file", "read write");
      await file.write(pattern(100_000), 0);
      expect(pattern(100_000).equals(await file.read(100_001, 0))).toBe(true);
    });

    it("is zero where nothing was written", async () => {
      const file = await drive().open("/file", "read write");
      await file.write("end", 200_000);
      const content = await file.read(300_000, 0);
      expect(content).toHaveLength(200_003);
      expect(content.subarray(0, 10).toString()).toBe("0123456789");
      expect(content.subarray(10, 200_000).every((byte) => byte === 0)).toBe(true);
      expect(content.subarray(200_000).toString()).toBe("end");
      await file.write("middle", 100_000);
      expect((await file.read(8, 99_999)).toString()).toBe("\0middle\0");
    });

    it("does not grow by an empty write", async () => {
      const file = await drive().open("/file", "write");
      await file.write("", 1000);
      expect((await file.stat()).size).toBe(10);
    });

    it("is written at its end with append, whatever the position", async () => {
      const first = await drive().open("/file", "write append");
      const second = await drive().open("/file", "write append");
      await first.write("a", 0);
      await second.write("b", 2);
      await first.write("c", 10_000);
      await second.setstat({ size: 2 });
      await first.write("d", 5);
      expect((await drive().read("/file")).toString()).toBe("01d");
    });

    it.skipIf(isAtomic)("is the same through all handles", async () => {
      const writer = await drive().open("/file", "write");
      const reader = await drive().open("/file", "read");
      await writer.write("new", 10);
      expect((await reader.read(100, 8)).toString()).toBe("89new");
      await drive().open("/file", "write truncate");
      expect(await reader.read(100, 0)).toHaveLength(0);
      await writer.write("x", 2);
      expect((await reader.read(100, 0)).toString()).toBe("\0\0x");
    });

    it("takes parallel writes in any order", async () => {
      const content = pattern(64 * 1000);
      const file = await drive().open("/parallel", "write create");
      const positions = Array.from({ length: 64 }, (_, index) => ((index * 37) % 64) * 1000);
      await Promise.all(positions.map((position) => file.write(content.subarray(position, position + 1000), position)));
      await file.close();
      expect(content.equals(await drive().read("/parallel"))).toBe(true);
    });

    it("stays when its name is removed", async () => {
      const file = await drive().open("/file", "read write");
      await drive().remove("/file");
      await expectFailure("ENOENT", () => drive().lstat("/file"));
      await file.write("still", 10);
      expect((await file.read(100, 8)).toString()).toBe("89still");
      expect(await file.stat()).toMatchObject({ type: "file", size: 15 });
      await file.setstat({ size: 3 });
      await drive().write("/file", "another");
      expect((await file.read(100, 0)).toString()).toBe("012");
      await file.close();
      expect((await drive().read("/file")).toString()).toBe("another");
    });

    it("stays when it is renamed, and when it is replaced", async () => {
      const renamed = await drive().open("/file", "read write");
      await drive().write("/other", "other");
      const replaced = await drive().open("/other", "read");
      await drive().posixRename("/file", "/other");
      await renamed.write("new", 0);
      expect((await drive().read("/other")).toString()).toBe("new3456789");
      expect((await replaced.read(100, 0)).toString()).toBe("other");
    });

    it("stays when its directory is renamed", async () => {
      await drive().mkdir("/directory");
      const file = await drive().open("/directory/file", "write create");
      await drive().rename("/directory", "/moved");
      await file.write("content", 0);
      await file.fsync();
      expect((await drive().read("/moved/file")).toString()).toBe("content");
    });

    it("can be cut, lengthened and changed through its handle", async () => {
      const file = await drive().open("/file", "read write");
      await file.setstat({ size: 4 });
      expect((await drive().read("/file")).toString()).toBe("0123");
      await file.setstat({ size: 6, permissions: 0o600, times: { accessTime: 1000, modifyTime: 2000 } });
      expect((await file.read(100, 0)).toString()).toBe("0123\0\0");
      const changed = { size: 6, permissions: 0o600, modifyTime: 2000 };
      expect(await file.stat()).toMatchObject(changed);
      expect(await drive().lstat("/file")).toMatchObject(changed);
    });

    it("cannot be cut through a handle that only reads", async () => {
      const file = await drive().open("/file", "read");
      await expectFailure("EINVAL", () => file.setstat({ size: 0 }));
      await file.setstat({ permissions: 0o600 });
      expect(await drive().lstat("/file")).toMatchObject({ size: 10, permissions: 0o600 });
    });

    it("shows no old bytes when it is cut and grows again", async () => {
      const file = await drive().open("/file", "read write");
      for (const cut of [5, 65_536, 70_000, 131_072]) {
        await file.write(pattern(200_000), 0);
        await file.setstat({ size: cut });
        await file.setstat({ size: 200_000 });
        const content = await file.read(200_000, 0);
        expect(pattern(200_000).subarray(0, cut).equals(content.subarray(0, cut))).toBe(true);
        expect(content.subarray(cut).every((byte) => byte === 0)).toBe(true);
        await file.setstat({ size: cut });
        await file.write("!", cut + 2);
        expect([...(await file.read(10, cut))]).toEqual([0, 0, 0x21]);
      }
    });
  });
}
