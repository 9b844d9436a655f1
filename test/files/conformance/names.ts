import { describe, expect, it } from "vitest";
import { decodeName } from "../../../src/files/path.js";
import { type Drive, expectFailure } from "./drive.js";

const NAMES: readonly (readonly [kind: string, name: string])[] = [
  ["spaces", " leading and trailing "],
  ["a newline", "two\nlines"],
  ["a backslash", "back\\slash\\..\\up"],
  ["Unicode", "Grüße 漢字 🎉"],
  ["control characters", "bell\x07 escape\x1b[31m"],
  ["three dots", "..."],
  ["a dot in front", ".hidden"],
  ["a dash in front", "-rf"],
  ["quotes", `"'\`$(true)`],
  ["a colon", "C:"],
  ["a JavaScript property", "__proto__"],
  ["255 bytes", "n".repeat(255)],
  ["255 bytes of UTF-8", "é".repeat(127)],
  ["bytes that are no UTF-8", decodeName(Buffer.from("caf\xe9 \xff\x80", "latin1"))],
  ["a cut UTF-8 character", decodeName(Buffer.from([0x61, 0xe6, 0xbc]))],
];

export function describeNames(drive: () => Drive): void {
  describe.each(NAMES)("a name with %s", (_kind, name) => {
    it("works for files, directories and links", async () => {
      const path = `/${name}`;
      await drive().write(path, "content");
      expect(await drive().list("/")).toEqual([name]);
      expect((await drive().read(path)).toString()).toBe("content");
      expect(await drive().lstat(path)).toMatchObject({ type: "file", size: 7 });

      await drive().rename(path, "/plain");
      await drive().mkdir(path);
      await drive().rename("/plain", `${path}/${name}`);
      expect(await drive().list(path)).toEqual([name]);
      await drive().remove(`${path}/${name}`);
      await drive().rmdir(path);

      await drive().symlink(name, path);
      expect(await drive().readlink(path)).toBe(name);
      await drive().remove(path);
      expect(await drive().list("/")).toEqual([]);
    });
  });

  describe("names", () => {
    it("differ by upper and lower case, and by the form of accents", async () => {
      const names = ["file", "FILE", "\u00e9", "e\u0301"].sort();
      for (const name of names) await drive().write(`/${name}`, name);
      expect(await drive().list("/")).toEqual(names);
      for (const name of names) expect((await drive().read(`/${name}`)).toString()).toBe(name);
    });

    it("that are too long are refused", async () => {
      for (const name of ["n".repeat(256), "é".repeat(128), "漢".repeat(86)]) {
        await expectFailure("ENAMETOOLONG", () => drive().write(`/${name}`, ""));
        await expectFailure("ENAMETOOLONG", () => drive().mkdir(`/${name}`));
        await expectFailure("ENAMETOOLONG", () => drive().symlink("target", `/${name}`));
        await expectFailure("ENAMETOOLONG", () => drive().lstat(`/${name}`));
      }
      expect(await drive().list("/")).toEqual([]);
    });

    it("that stand for no bytes are refused", async () => {
      await expect(drive().write("/\ud800", "")).rejects.toThrow();
      await expect(drive().mkdir("/\udfff")).rejects.toThrow();
      await expect(drive().symlink("\ud800", "/link")).rejects.toThrow();
      expect(await drive().list("/")).toEqual([]);
    });
  });
}
