import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FileError, LinkInPathError } from "../../src/files/errors.js";
import type { FileAttributes, FileSystem } from "../../src/files/file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { isWithin, normalizePath } from "../../src/files/path.js";
import { PathResolver } from "../../src/files/path-resolver.js";

/** A tree with links: their targets by path. */
function tree(links: Readonly<Record<string, string>> = {}): MemoryFileSystem {
  const files = MemoryFileSystem.from({ "/a/b/file": "x", "/c/d/other": "y", "/top": "z" });
  for (const [path, target] of Object.entries(links)) files.symlink(target, path);
  return files;
}

function resolver(fileSystem: FileSystem, startDirectory = "/"): PathResolver {
  return new PathResolver(fileSystem, startDirectory);
}

const noSuchFile = expect.objectContaining({ code: "ENOENT" });
const notDirectory = expect.objectContaining({ code: "ENOTDIR" });
const tooManyLinks = expect.objectContaining({ code: "ELOOP" });

describe("PathResolver.resolve", () => {
  it.each([
    ["/", "/"],
    ["", "/"],
    [".", "/"],
    ["/a/b/file", "/a/b/file"],
    ["a//b/./file/", "/a/b/file"],
    ["/a/../c", "/c"],
    ["/../../../a", "/a"],
    ["/a/b/none", "/a/b/none"],
  ])("without links: %j is %j", async (path, resolved) => {
    expect(await resolver(tree()).resolve(path, "follow")).toBe(resolved);
  });

  it.each([
    ["", "/a/b"],
    ["file", "/a/b/file"],
    ["../../c", "/c"],
    ["../../../../c", "/c"],
    ["/top", "/top"],
  ])("from /a/b: %j is %j", async (path, resolved) => {
    expect(await resolver(tree(), "/a/b").resolve(path, "follow")).toBe(resolved);
  });

  it.each<[what: string, links: Record<string, string>, path: string, resolved: string]>([
    ["a relative link", { "/a/link": "b/file" }, "/a/link", "/a/b/file"],
    ["an absolute link, from the root of the tree", { "/a/link": "/c/d" }, "/a/link/other", "/c/d/other"],
    ["a link upwards", { "/a/b/link": "../../c" }, "/a/b/link/d", "/c/d"],
    ["a link over the root", { "/a/link": "../../../../../c" }, "/a/link", "/c"],
    ["an absolute link with ..", { "/a/link": "/../../a/../c" }, "/a/link", "/c"],
    ["a chain", { "/one": "two", "/two": "/a/three", "/a/three": "../c" }, "/one/d", "/c/d"],
    ["a link to .", { "/here": "." }, "/here/here/here/a", "/a"],
    ["a link to /", { "/a/root": "/" }, "/a/root/a/root/top", "/top"],
    [".. behind a link: the parent of its target", { "/link": "/a/b" }, "/link/..", "/a"],
    [".. behind a link, and on", { "/link": "/c/d" }, "/link/../d/other", "/c/d/other"],
    ["a link within a link's text", { "/x": "/y/b", "/y": "a" }, "/x/file", "/a/b/file"],
    ["a link to what is missing", { "/link": "/a/none" }, "/link", "/a/none"],
    ["a link with empty names", { "/link": ".//a///b/" }, "/link", "/a/b"],
    ["names that are not UTF-8", { "/\udcff": "/a/\udcfe" }, "/\udcff", "/a/\udcfe"],
  ])("%s", async (_, links, path, resolved) => {
    expect(await resolver(tree(links)).resolve(path, "follow")).toBe(resolved);
  });

  it("keeps the last link where it is told to", async () => {
    const files = tree({ "/link": "/a", "/a/inner": "b" });
    expect(await resolver(files).resolve("/link", "keep")).toBe("/link");
    expect(await resolver(files).resolve("/link/", "keep")).toBe("/link");
    expect(await resolver(files).resolve("/link/inner", "keep")).toBe("/a/inner");
    expect(await resolver(files).resolve("/link/inner/none", "keep")).toBe("/a/b/none");
    expect(await resolver(files).resolve("/link/..", "keep")).toBe("/");
    expect(await resolver(files).resolve("/link/inner/..", "keep")).toBe("/a");
  });

  it.each(["/none/x", "/a/none/../b", "/link/x"])("refuses %s: a directory is missing", async (path) => {
    await expect(resolver(tree({ "/link": "nowhere" })).resolve(path, "follow")).rejects.toEqual(noSuchFile);
  });

  it.each(["/top/x", "/top/.."])("refuses %s: a file is on the way", async (path) => {
    await expect(resolver(tree()).resolve(path, "follow")).rejects.toEqual(notDirectory);
  });

  it.each(["/self", "/one", "/deep/x", "/parent/self"])("refuses %s: links without end", async (path) => {
    const files = tree({ "/self": "self", "/one": "two", "/two": "/one", "/deep": "deep/x", "/parent": "/" });
    await expect(resolver(files).resolve(path, "follow")).rejects.toEqual(tooManyLinks);
  });

  it("follows 40 links and no more", async () => {
    const links = Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`/l${index + 1}`, `l${index}`]));
    const files = tree({ ...links, "/l0": "top" });
    expect(await resolver(files).resolve("/l39", "follow")).toBe("/top");
    await expect(resolver(files).resolve("/l40", "follow")).rejects.toEqual(tooManyLinks);
  });

  it("follows links that grow for a limited time", async () => {
    const long = "x/".repeat(2_000);
    const files = tree({ "/x": `x/${long}` });
    await expect(resolver(files).resolve("/x", "follow")).rejects.toEqual(tooManyLinks);
  });

  it("leads through links no deeper than a path can", async () => {
    const files = new MemoryFileSystem();
    const build = (top: string) => {
      files.mkdir(top, 0o777);
      for (let path = `${top}/a`; path.length < 3000; path += "/a") files.mkdir(path, 0o777);
      return `${top}${"/a".repeat(1_400)}`;
    };
    const bottom = build("/one");
    build("/two");
    files.rename("/two", `${bottom}/b`);
    files.symlink(bottom, "/link");
    expect(await resolver(files).resolve(`/link/b${"/a".repeat(500)}`, "follow")).toHaveLength(
      bottom.length + 2 + 1000,
    );
    const tooLong = expect.objectContaining({ code: "ENAMETOOLONG" });
    await expect(resolver(files).resolve(`/link/b${"/a".repeat(1_000)}`, "follow")).rejects.toEqual(tooLong);
    await expect(resolver(files).resolve(`/link/b${"/a".repeat(1_000)}`, "keep")).rejects.toEqual(tooLong);
  });

  it("only tidies paths where there are no links", async () => {
    expect(await resolver({}).resolve("/a/../b//c/.", "follow")).toBe("/b/c");
    expect(await resolver({}, "/home").resolve("x", "follow")).toBe("/home/x");
  });

  it("passes on what a file system fails with", async () => {
    const failure = new Error("disk on fire");
    const files: FileSystem = {
      lstat: () => Promise.reject(failure),
      readlink: () => "",
    };
    await expect(resolver(files).resolve("/a/b", "follow")).rejects.toBe(failure);
  });

  it("never leaves the tree, whatever links there are", async () => {
    const name = fc.constantFrom("a", "b", "c", "..", ".", "");
    const path = fc.array(name, { maxLength: 5 }).map((names) => names.join("/"));
    const target = fc.tuple(fc.constantFrom("", "/"), path).map((parts) => parts.join("") || ".");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom("", "/d"), name, target)), path, async (links, wanted) => {
        const files = new MemoryFileSystem();
        files.mkdir("/d", 0o755);
        for (const [directory, last, text] of links) {
          if (!/^[abc]$/.test(last)) continue;
          try {
            files.symlink(text, `${directory}/${last}`);
          } catch (error) {
            if (!(error instanceof FileError)) throw error;
          }
        }
        try {
          const resolved = await resolver(files).resolve(wanted, "follow");
          expect(resolved).toBe(normalizePath(resolved));
          expect(isWithin(resolved, "/")).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
        }
      }),
    );
  });
});

describe("PathResolver.run", () => {
  /** Runs an operation of the contract on the tree: what it was called with, and what came of it. */
  async function runOpen(files: MemoryFileSystem, path: string) {
    const asked: string[] = [];
    const content = await resolver(files).run(path, "follow", (canonical) => {
      asked.push(canonical);
      return files.readFile(canonical).toString();
    });
    return { asked, content };
  }

  it("tries a path as it is first", async () => {
    expect(await runOpen(tree(), "a//b/./file")).toEqual({ asked: ["/a/b/file"], content: "x" });
  });

  it("asks again where a link was in the way", async () => {
    const files = tree({ "/link": "/a/b", "/a/b/last": "../../c/d/other" });
    expect(await runOpen(files, "/link/file")).toEqual({ asked: ["/link/file", "/a/b/file"], content: "x" });
    expect(await runOpen(files, "/link/last")).toEqual({ asked: ["/link/last", "/c/d/other"], content: "y" });
  });

  it("resolves what has .. in it first", async () => {
    expect(await runOpen(tree({ "/link": "/c/d" }), "/link/../d/other")).toEqual({
      asked: ["/c/d/other"],
      content: "y",
    });
  });

  it("never gives an operation a path that is not canonical", async () => {
    const path = fc.array(fc.constantFrom("", ".", "..", "a", "b", "link"), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(path, async (names) => {
        const asked: string[] = [];
        const files = tree({ "/link": "a", "/a/link": "../c" });
        await resolver(files)
          .run(names.join("/"), "follow", (canonical) => {
            asked.push(canonical);
            files.readFile(canonical);
          })
          .catch(() => {});
        for (const canonical of asked) expect(canonical).toBe(normalizePath(canonical));
      }),
    );
  });

  it("passes on what the operation fails with", async () => {
    const failure = new Error("no");
    await expect(resolver(tree()).run("/a", "keep", () => Promise.reject(failure))).rejects.toBe(failure);
    await expect(
      resolver(tree()).run("/a", "keep", () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
  });

  it("gives up where a file system speaks of links and cannot read them", async () => {
    let asked = 0;
    const run = resolver({ lstat: () => Promise.reject(new FileError("ENOENT")) }).run("/a", "follow", () => {
      asked++;
      throw new LinkInPathError();
    });
    await expect(run).rejects.toBeInstanceOf(LinkInPathError);
    expect(asked).toBe(1);
  });

  const directory: FileAttributes = { type: "directory", size: 0, permissions: 0o755, accessTime: 0, modifyTime: 0 };

  it("follows a path into which links come all the time a few times only", async () => {
    let asked = 0;
    const files: FileSystem = { lstat: () => directory, readlink: () => "/" };
    const run = resolver(files).run("/a/b", "follow", () => {
      asked++;
      throw new LinkInPathError();
    });
    await expect(run).rejects.toEqual(tooManyLinks);
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThan(10);
  });

  it("follows a link that a directory was swapped for after it was looked at, inside the tree", async () => {
    const files = tree();
    let looks = 0;
    const swapping: FileSystem = {
      lstat: (path) => {
        const found = files.lstat(path);
        if (path === "/a/b" && ++looks === 1) {
          files.posixRename("/a/b", "/a/moved");
          files.symlink("../../../c/d", "/a/b");
        }
        return found;
      },
      readlink: (path) => files.readlink(path),
    };
    const asked: string[] = [];
    const content = await resolver(swapping).run("/c/../a/b/other", "follow", (canonical) => {
      asked.push(canonical);
      return files.readFile(canonical).toString();
    });
    expect([content, asked]).toEqual(["y", ["/c/d/other"]]);
  });

  it("fails where a link was swapped for a file before it was read", async () => {
    const files = tree({ "/link": "/a/b" });
    const swapping: FileSystem = {
      lstat: (path) => {
        const found = files.lstat(path);
        if (found.type === "symlink") {
          files.remove(path);
          files.writeFile(path, "");
        }
        return found;
      },
      readlink: (path) => files.readlink(path),
    };
    const run = resolver(swapping).run("/link/file", "follow", (canonical) => files.readFile(canonical));
    await expect(run).rejects.toBeInstanceOf(FileError);
  });
});
