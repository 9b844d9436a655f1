import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/base/configuration-error.js";
import { FileError, LinkInPathError } from "../../../src/files/errors.js";
import type { FileSystem } from "../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { normalizePath } from "../../../src/files/path.js";
import { PathResolver } from "../../../src/files/path-resolver.js";
import { mount } from "../../../src/files/wrappers/mount.js";
import { Drive } from "../conformance/drive.js";
import { describeFileSystem } from "../conformance.js";
import { subtree } from "./subtree.js";

const MISSING = "No such file or directory";
const READ_ONLY = "Read-only file system";
const BUSY = "Device or resource busy";
const CROSS = "Invalid cross-device link";
const UNSUPPORTED = "Operation not supported";

function threeTrees() {
  const base = MemoryFileSystem.from({ "/readme": "base", "/docs/hidden": "hidden", "/pub/own": "own" });
  const docs = MemoryFileSystem.from({ "/guide": "guide", "/deep/page": "page" });
  const images = MemoryFileSystem.from({ "/cat": "cat" });
  return { base, docs, images };
}

function withBase() {
  const trees = threeTrees();
  return { ...trees, drive: new Drive(mount({ "/": trees.base, "/docs": trees.docs, "/pub/images": trees.images })) };
}

function withoutBase() {
  const { docs, images } = threeTrees();
  return { docs, images, drive: new Drive(mount({ "/docs": docs, "/pub/images": images })) };
}

describeFileSystem("mount in virtual directories", async () => ({
  fileSystem: subtree(mount({ "/far/away": new MemoryFileSystem(), "/beside": new MemoryFileSystem() }), "/far/away"),
}));

describeFileSystem("mount in a directory of another tree, beside a third", async () => {
  const base = MemoryFileSystem.from({ "/far/x": "", "/far/away/hidden": "" });
  const trees = { "/": base, "/far/away": new MemoryFileSystem(), "/far/other": new MemoryFileSystem() };
  return { fileSystem: subtree(mount(trees), "/far/away") };
});

describe("mount", () => {
  it("routes by the longest mount path", async () => {
    const inner = MemoryFileSystem.from({ "/x": "inner" });
    const outer = MemoryFileSystem.from({ "/x": "outer", "/b/x": "hidden", "/bc/x": "beside" });
    const drive = new Drive(mount({ "/a": outer, "/a/b": inner }));
    expect((await drive.read("/a/x")).toString()).toBe("outer");
    expect((await drive.read("/a/b/x")).toString()).toBe("inner");
    expect((await drive.read("/a/bc/x")).toString()).toBe("beside");
    await drive.write("/a/b/new", "data");
    expect(inner.readFile("/new").toString()).toBe("data");
    await drive.mkdir("/a/b/dir", 0o750);
    expect(inner.lstat("/dir")).toMatchObject({ type: "directory", permissions: 0o750 });
    await drive.setstat("/a/b/dir", { permissions: 0o700 });
    await drive.rename("/a/b/new", "/a/b/dir/new");
    await drive.hardlink("/a/b/dir/new", "/a/b/second");
    await drive.posixRename("/a/b/second", "/a/b/x");
    expect(inner.readFile("/x").toString()).toBe("data");
    await drive.remove("/a/b/dir/new");
    await drive.rmdir("/a/b/dir");
    expect(await drive.list("/a/b")).toEqual(["x"]);
    expect(outer.readFile("/b/x").toString()).toBe("hidden");
  });

  it.each(["/docs/", "//docs", "/./docs/."])("takes %j for /docs", async (path) => {
    const drive = new Drive(mount({ [path]: MemoryFileSystem.from({ "/guide": "guide" }) }));
    expect((await drive.read("/docs/guide")).toString()).toBe("guide");
  });

  it.each(["", "docs", "./docs", "/a/../docs", "/..", "/a\0b"])("refuses to mount at %j", (path) => {
    expect(() => mount({ [path]: new MemoryFileSystem() })).toThrow(ConfigurationError);
  });

  it("refuses one path twice, and nothing", () => {
    const fileSystem = new MemoryFileSystem();
    expect(() => mount({ "/a": fileSystem, "/a/": fileSystem })).toThrow(/"\/a" is there twice/);
    expect(() => mount({})).toThrow(ConfigurationError);
  });

  describe("directories on the way to a mount point", () => {
    it("are virtual where nothing else is there", async () => {
      const { drive } = withoutBase();
      expect(await drive.list("/")).toEqual(["docs", "pub"]);
      expect(await drive.list("/pub")).toEqual(["images"]);
      expect(await drive.lstat("/")).toMatchObject({ type: "directory", permissions: 0o555 });
      expect(await drive.lstat("/pub")).toMatchObject({ type: "directory", permissions: 0o555 });
      expect(await drive.statvfs("/")).toMatchObject({ readOnly: true, availableBlocks: 0 });
    });

    it("cannot be changed, nor anything be made in them", async () => {
      const { drive } = withoutBase();
      for (const directory of ["", "/pub"]) {
        const path = `${directory}/new`;
        await expect(drive.write(path, "")).rejects.toThrow(READ_ONLY);
        await expect(drive.open(path, "write create exclusive")).rejects.toThrow(READ_ONLY);
        await expect(drive.mkdir(path)).rejects.toMatchObject({ code: "EROFS" });
        await expect(drive.symlink("docs", path)).rejects.toThrow(READ_ONLY);
        await expect(drive.lstat(path)).rejects.toThrow(MISSING);
        await expect(drive.open(path, "read")).rejects.toThrow(MISSING);
        await expect(drive.remove(path)).rejects.toThrow(MISSING);
        await expect(drive.rmdir(path)).rejects.toThrow(MISSING);
        await expect(drive.rename(path, `${path}2`)).rejects.toThrow(MISSING);
        await expect(drive.readlink(path)).rejects.toThrow(MISSING);
        await expect(drive.entries(path)).rejects.toThrow(MISSING);
        await expect(drive.mkdir(`${path}/below`)).rejects.toThrow(MISSING);
      }
      await expect(drive.setstat("/pub", { permissions: 0o777 })).rejects.toThrow(READ_ONLY);
      await expect(drive.mkdir("/pub")).rejects.toThrow("File exists");
      await expect(drive.symlink("docs", "/pub")).rejects.toThrow("File exists");
      await expect(drive.open("/pub", "read")).rejects.toThrow("Is a directory");
      await expect(drive.open("/pub", "write create exclusive")).rejects.toThrow("File exists");
      await expect(drive.readlink("/pub")).rejects.toThrow("Invalid argument");
      await expect(drive.hardlink("/pub", "/second")).rejects.toThrow("Operation not permitted");
    });

    it("are those of the tree around them where it has them", async () => {
      const { base, drive } = withBase();
      expect(await drive.list("/pub")).toEqual(["images", "own"]);
      base.setstat("/pub", { permissions: 0o711 });
      expect(await drive.lstat("/pub")).toMatchObject({ permissions: 0o711 });
      expect((await drive.entries("/")).find(({ name }) => name === "pub")?.attributes.permissions).toBe(0o711);
      await drive.write("/pub/new", "new");
      expect(base.readFile("/pub/new").toString()).toBe("new");
    });

    it("are virtual where the tree has none, and as soon as it has them its own", async () => {
      const { docs, images } = threeTrees();
      const base = new MemoryFileSystem();
      const drive = new Drive(mount({ "/": base, "/a/docs": docs, "/a/b/c/images": images }));
      expect(await drive.list("/")).toEqual(["a"]);
      expect(await drive.list("/a")).toEqual(["b", "docs"]);
      expect(await drive.list("/a/b/c")).toEqual(["images"]);
      await expect(drive.write("/a/b/new", "")).rejects.toThrow(READ_ONLY);
      await drive.write("/beside", "");
      base.mkdir("/a", 0o777);
      await drive.write("/a/new", "");
      expect(await drive.list("/a")).toEqual(["b", "docs", "new"]);
      await expect(drive.write("/a/b/new", "")).rejects.toThrow(READ_ONLY);
    });

    it.each(["file", "link"])("hide a %s of the tree around them", async (kind) => {
      const { docs } = threeTrees();
      const base = MemoryFileSystem.from({ "/elsewhere/secret": "secret" });
      if (kind === "file") base.writeFile("/a", "file");
      else base.symlink("elsewhere", "/a");
      const drive = new Drive(mount({ "/": base, "/a/b/docs": docs }));
      expect(await drive.lstat("/a")).toMatchObject({ type: "directory" });
      expect(await drive.list("/a")).toEqual(["b"]);
      expect(await drive.list("/a/b")).toEqual(["docs"]);
      expect((await drive.read("/a/b/docs/guide")).toString()).toBe("guide");
      await expect(drive.read("/a/secret")).rejects.toThrow(MISSING);
      await expect(drive.write("/a/new", "")).rejects.toThrow(READ_ONLY);
    });

    it("do not pass for virtual when the tree around them fails", async () => {
      const { docs } = threeTrees();
      const base: FileSystem = {
        lstat: () => {
          throw new FileError("EACCES");
        },
      };
      const drive = new Drive(mount({ "/": base, "/a/docs": docs }));
      await expect(drive.lstat("/a")).rejects.toThrow("Permission denied");
      expect((await drive.read("/a/docs/guide")).toString()).toBe("guide");
    });

    it("are virtual in a tree that has no attributes", async () => {
      const { docs } = threeTrees();
      const drive = new Drive(mount({ "/": { readdir: () => [] }, "/a/docs": docs }));
      expect(await drive.lstat("/a")).toMatchObject({ type: "directory" });
      await expect(drive.lstat("/b")).rejects.toThrow(UNSUPPORTED);
    });
  });

  describe("mount points", () => {
    it("are listed once, with the attributes of the mounted root", async () => {
      const { docs, drive } = withBase();
      docs.setstat("/", { permissions: 0o700 });
      expect(await drive.list("/")).toEqual(["docs", "pub", "readme"]);
      const listed = (await drive.entries("/")).find(({ name }) => name === "docs");
      expect(listed?.attributes).toEqual(docs.lstat("/"));
      expect(await drive.lstat("/docs")).toEqual(docs.lstat("/"));
      expect(await drive.list("/docs")).toEqual(["deep", "guide"]);
      await expect(drive.lstat("/docs/hidden")).rejects.toThrow(MISSING);
    });

    it("hide a file and a link of the tree around them", async () => {
      const base = MemoryFileSystem.from({ "/file": "data" });
      base.symlink("/etc", "/link");
      const tree = MemoryFileSystem.from({ "/x": "x" });
      const drive = new Drive(mount({ "/": base, "/file": tree, "/link": tree }));
      expect((await drive.read("/file/x")).toString()).toBe("x");
      expect((await drive.read("/link/x")).toString()).toBe("x");
      expect((await drive.entries("/")).map(({ attributes }) => attributes.type)).toEqual(["directory", "directory"]);
    });

    it("are listed even when their file system fails", async () => {
      const failing: FileSystem = {
        lstat: () => {
          throw new FileError("EIO");
        },
      };
      const drive = new Drive(mount({ "/bad": failing, "/good": new MemoryFileSystem() }));
      expect(await drive.list("/")).toEqual(["bad", "good"]);
      await expect(drive.lstat("/bad")).rejects.toThrow("Input/output error");
    });

    it("and what leads to them cannot be removed, renamed or replaced", async () => {
      for (const { drive } of [withBase(), withoutBase()]) {
        for (const path of ["/", "/docs", "/pub", "/pub/images"]) {
          await expect(drive.remove(path)).rejects.toThrow("Is a directory");
          await expect(drive.rmdir(path)).rejects.toThrow(BUSY);
          await expect(drive.rename(path, "/other")).rejects.toThrow(BUSY);
          await expect(drive.posixRename(path, "/other")).rejects.toThrow(BUSY);
          await expect(drive.rename("/docs/guide", path)).rejects.toThrow(BUSY);
          await expect(drive.posixRename("/docs/deep", path)).rejects.toThrow(BUSY);
        }
        expect(await drive.list("/docs")).toEqual(["deep", "guide"]);
        await expect(drive.mkdir("/docs")).rejects.toThrow("File exists");
      }
    });
  });

  it("does not rename or link from one tree to another", async () => {
    const { base, docs, drive } = withBase();
    for (const [from, to] of [
      ["/readme", "/docs/readme"],
      ["/docs/guide", "/guide"],
      ["/docs/guide", "/pub/images/guide"],
    ] as const) {
      const failure = { code: "EXDEV", message: CROSS };
      await expect(drive.rename(from, to)).rejects.toMatchObject(failure);
      await expect(drive.posixRename(from, to)).rejects.toMatchObject(failure);
      await expect(drive.hardlink(from, to)).rejects.toMatchObject(failure);
    }
    expect(base.readFile("/readme").toString()).toBe("base");
    expect(docs.readFile("/guide").toString()).toBe("guide");
    expect(await drive.list("/docs")).toEqual(["deep", "guide"]);
  });

  describe("links", () => {
    const resolve = (fileSystem: FileSystem, path: string) => new PathResolver(fileSystem, "/").resolve(path, "follow");

    it("have absolute targets from the root of their own tree", async () => {
      const { docs, drive } = withBase();
      docs.symlink("/deep/page", "/absolute");
      docs.symlink("/", "/top");
      expect(await drive.readlink("/docs/absolute")).toBe("/docs/deep/page");
      expect(await drive.readlink("/docs/top")).toBe("/docs");
      expect(await resolve(drive.fileSystem, "/docs/absolute")).toBe("/docs/deep/page");
      expect(await resolve(drive.fileSystem, "/docs/top/guide")).toBe("/docs/guide");
    });

    it.each(["/docs/deep/page", "/docs", "/docs//deep/", "deep/page", "../readme", "../../..", "/docs/a/../b", "x"])(
      "read %j as it was written",
      async (target) => {
        const { drive } = withBase();
        await drive.symlink(target, "/docs/link");
        expect(await drive.readlink("/docs/link")).toBe(target);
      },
    );

    it("are stored as the tree itself names the target", async () => {
      const { docs, drive } = withBase();
      await drive.symlink("/docs/deep/page", "/docs/link");
      expect(docs.readlink("/link")).toBe("/deep/page");
    });

    it.each(["/readme", "/", "/docsx", "/docs/../readme", "/../docs/x", "/pub/images/cat"])(
      "cannot be made with the absolute target %j, which their tree has no name for",
      async (target) => {
        const { drive } = withBase();
        await expect(drive.symlink(target, "/docs/link")).rejects.toThrow(CROSS);
        expect(await drive.list("/docs")).toEqual(["deep", "guide"]);
      },
    );

    it("of the tree at the root lead into the others", async () => {
      const { base, drive } = withBase();
      for (const target of ["/docs/guide", "docs/guide", "/../docs/guide"]) {
        await drive.symlink(target, "/link");
        expect(base.readlink("/link")).toBe(target);
        expect(await drive.readlink("/link")).toBe(target);
        expect(await resolve(drive.fileSystem, "/link")).toBe("/docs/guide");
        await drive.remove("/link");
      }
    });

    it("with a relative target may lead to another tree, and end at the root of all", async () => {
      const { docs, drive } = withBase();
      docs.symlink("../pub/images/cat", "/cat");
      docs.symlink("../../../../..", "/up");
      expect(await resolve(drive.fileSystem, "/docs/cat")).toBe("/pub/images/cat");
      expect(await resolve(drive.fileSystem, "/docs/up")).toBe("/");
    });

    it("on the way count before the tree they lie in", async () => {
      const { base, docs, drive } = withBase();
      base.symlink("/docs/deep", "/link");
      docs.symlink("../pub", "/out");
      await expect(drive.rename("/docs/guide", "/link/guide")).rejects.toThrow(LinkInPathError);
      await expect(drive.hardlink("/link/page", "/docs/page")).rejects.toThrow(LinkInPathError);
      await expect(drive.symlink("/pub/own", "/docs/out/link")).rejects.toThrow(LinkInPathError);
      const resolver = new PathResolver(drive.fileSystem, "/");
      await resolver.run("/link/guide", "keep", (path) => drive.rename("/docs/guide", path));
      await resolver.run("/docs/out/link", "keep", (path) => drive.symlink("/pub/own", path));
      expect(docs.readFile("/deep/guide").toString()).toBe("guide");
      expect(base.readlink("/pub/link")).toBe("/pub/own");
    });

    const targets = fc
      .array(fc.constantFrom("..", "..", ".", "", "deep", "link", "a", "docs"), { maxLength: 8 })
      .map((names) => names.join("/"));

    it("lead where they lead in the tree alone, unless they climb", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.constantFrom(".", "", "deep", "a", "b"), { maxLength: 6 }), async (names) => {
          const docs = MemoryFileSystem.from({ "/deep/a/b": "1", "/a/a/a/a": "2", "/b/deep/deep": "3" });
          docs.symlink(`/../../${names.join("/")}`, "/link");
          docs.symlink(`/${names.join("/")}`, "/plain");
          const fileSystem = mount({ "/": new MemoryFileSystem(), "/x/docs": docs });
          for (const link of ["/link", "/plain"]) {
            const alone = await resolve(docs, link).catch((error: Error) => error.message);
            const mounted = await resolve(fileSystem, `/x/docs${link}`).catch((error: Error) => error.message);
            expect(mounted).toBe(alone.startsWith("/") ? normalizePath(`/x/docs${alone}`) : alone);
          }
        }),
      );
    });

    it("never make a method get a path that is not canonical", async () => {
      await fc.assert(
        fc.asyncProperty(targets, targets, targets, async (inBase, inDocs, start) => {
          const seen: string[] = [];
          const base = MemoryFileSystem.from({ "/deep/page": "1", "/a/b": "2" });
          const docs = MemoryFileSystem.from({ "/deep/page": "3", "/b/a": "4" });
          base.symlink(inBase || ".", "/link");
          docs.symlink(inDocs || "/", "/link");
          docs.symlink(inDocs || ".", "/deep/link");
          const fileSystem = mount({ "/": watched(base, seen), "/a/docs": watched(docs, seen) });
          const resolved = await resolve(fileSystem, `/a/docs/${start}/deep/link/${start}`).catch(() => "/");
          expect(normalizePath(resolved)).toBe(resolved);
          expect(seen).not.toEqual([]);
          for (const each of seen) expect(normalizePath(each)).toBe(each);
        }),
      );
    });
  });

  describe("file handles", () => {
    it("have an identity of their own in each tree", async () => {
      const same = (): FileSystem => ({ open: () => ({ identity: "/1" }) });
      const shared = same();
      const tree = mount({ "/a": same(), "/b": same(), "/c": shared, "/d": shared, "/1": { open: () => ({}) } });
      const drive = new Drive(tree);
      const identities = await Promise.all(
        ["/a/x", "/b/x", "/c/x", "/d/x", "/1/x"].map(async (path) => (await drive.open(path, "read")).handle.identity),
      );
      expect(new Set(identities.slice(0, 3)).size).toBe(3);
      expect(identities[3]).toBe(identities[2]);
      expect(identities[4]).toBeUndefined();
    });

    it("have the methods that the tree gave them, and no others", async () => {
      const tree: FileSystem = { open: () => ({ identity: "1", read: () => 0 }) };
      const { handle } = await new Drive(mount({ "/a": tree })).open("/a/x", "read");
      expect(Object.keys(handle).sort()).toEqual(["identity", "read"]);
    });
  });

  describe("methods", () => {
    it("are those that any tree has", async () => {
      const fileSystem = mount({ "/a": { mkdir: () => undefined }, "/b": { remove: () => undefined } });
      expect(Object.keys(fileSystem).sort()).toEqual(["lstat", "mkdir", "readdir", "remove"]);
      await fileSystem.mkdir?.("/a/x", 0o777);
      const unsupported = { code: "ENOTSUP", message: UNSUPPORTED };
      await expect(fileSystem.mkdir?.("/b/x", 0o777)).rejects.toMatchObject(unsupported);
      await expect(fileSystem.remove?.("/a/x")).rejects.toMatchObject(unsupported);
      await expect(new Drive(fileSystem).entries("/a")).rejects.toMatchObject(unsupported);
    });

    it("give names of users and groups from the root, or else from the first that has them", async () => {
      const named = (name: string): FileSystem => ({ userNames: (ids) => ids.map((id) => `${name}${id}`) });
      expect(await mount({ "/a": named("a"), "/": named("base") }).userNames?.([1, 2])).toEqual(["base1", "base2"]);
      const nameless = { readdir: () => [] };
      const withoutNames = mount({ "/": nameless, "/a": nameless, "/b": named("b"), "/longer": named("longer") });
      expect(await withoutNames.userNames?.([1])).toEqual(["b1"]);
      expect(withoutNames.groupNames).toBeUndefined();
      const groups = mount({ "/": named("base"), "/g": { groupNames: (ids) => ids.map(() => "staff") } });
      expect(await groups.groupNames?.([7])).toEqual(["staff"]);
    });
  });

  it("can be mounted itself", async () => {
    const { drive: inner } = withoutBase();
    const drive = new Drive(mount({ "/": new MemoryFileSystem(), "/m": inner.fileSystem }));
    expect(await drive.list("/")).toEqual(["m"]);
    expect(await drive.list("/m/pub")).toEqual(["images"]);
    await drive.symlink("/m/docs/deep", "/m/docs/link");
    expect(await inner.readlink("/docs/link")).toBe("/docs/deep");
    expect(await drive.readlink("/m/docs/link")).toBe("/m/docs/deep");
    await expect(drive.rename("/m/docs/guide", "/m/pub/images/guide")).rejects.toThrow(CROSS);
    await expect(drive.mkdir("/m/new")).rejects.toThrow(READ_ONLY);
  });
});

/** Notes the paths that links are looked for with. */
function watched(fileSystem: MemoryFileSystem, seen: string[]): FileSystem {
  return {
    lstat: (path) => {
      seen.push(path);
      return fileSystem.lstat(path);
    },
    readlink: (path) => {
      seen.push(path);
      return fileSystem.readlink(path);
    },
  };
}
