import { expect, it } from "vitest";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { treeSize } from "../../../src/files/wrappers/tree-size.js";

it("adds up all files, a file of several names once", async () => {
  const files = MemoryFileSystem.from({ "/a": "12345", "/b/c": "123", "/b/d/e": "1" });
  files.hardlink("/a", "/b/d/a");
  files.hardlink("/a", "/second");
  expect(await treeSize(files)).toBe(9);
});

it("leaves out what lies deeper than any path leads: nobody is to wait for it", async () => {
  const files = new MemoryFileSystem();
  const build = (top: string) => {
    files.mkdir(top, 0o777);
    for (let path = `${top}/a`; path.length <= 4095; path += "/a") files.mkdir(path, 0o777);
    return `${top}${"/a".repeat(Math.floor((4095 - top.length) / 2))}`;
  };
  const bottom = build("/one");
  files.writeFile("/other/deep/file", "not counted");
  files.writeFile("/one/file", "counted");
  files.rename("/other", `${bottom.slice(0, -2)}/b`);
  expect(await treeSize(files)).toBe("counted".length);
});
