import { lstat, mkdir, readdir, readFile, readlink, stat, statfs, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { type LibraryName, type Operation, TRIED_LIBRARIES } from "../../support/clients-sftp.js";
import { extent } from "../../support/extent.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { makeManyFiles, makeTree, manyNames, type TreeFeature, treePaths } from "../../support/tree.js";
import { treeDifferences } from "../../support/tree-compare.js";

type Feature = "links" | "hard links" | "statvfs" | "attributes" | "random writes" | "exclusive";

/** What each library has no call for. */
const LACKS: Readonly<Record<LibraryName, readonly Feature[]>> = {
  paramiko: ["hard links", "statvfs"],
  asyncssh: [],
  "asyncssh-2.20": [],
  ssh2: [],
  "ssh2-sftp-client": ["links", "hard links", "statvfs", "attributes", "random writes", "exclusive"],
};

/** Those that carry whole trees, and what they do not carry in them. */
const CARRIES_TREES: Readonly<Partial<Record<LibraryName, readonly TreeFeature[]>>> = {
  asyncssh: ["links"],
  "asyncssh-2.20": [],
  "ssh2-sftp-client": ["links", "invalid UTF-8", "backslashes"],
};

/** More than come in one answer. */
const MANY = extent(300, 2000);

const fixture = sftpFixture();

for (const library of TRIED_LIBRARIES) {
  const has = (feature: Feature) => !LACKS[library].includes(feature);

  describe(library, needs(library), () => {
    const remote = (name: string) => join(fixture.root, name);
    const local = (name: string) => join(fixture.local, name);
    const operate = (...operations: Operation[]) => fixture.operateOk(library, operations);
    /** Operations that all have to fail: what is said of each. */
    const fail = async (...operations: Operation[]) =>
      (await fixture.operate(library, operations)).map(({ error }) => error);

    it("puts and gets files one by one", async () => {
      const without = ["links", "invalid UTF-8"] as const;
      await makeTree(local("tree"), { without });
      const { directories, files } = treePaths({ without });
      await mkdir(local("got"));
      for (const path of directories) await mkdir(local(`got/${path}`));
      await operate(
        ["mkdir", "put"],
        ...directories.map((path): Operation => ["mkdir", `put/${path}`]),
        ...files.map((path): Operation => ["put", local(`tree/${path}`), `put/${path}`]),
        ...files.map((path): Operation => ["get", `put/${path}`, local(`got/${path}`)]),
      );
      expect(await treeDifferences(local("tree"), remote("put"))).toEqual([]);
      expect(await treeDifferences(local("tree"), local("got"))).toEqual([]);
    });

    const withoutInTrees = CARRIES_TREES[library];
    if (withoutInTrees)
      it("puts and gets a whole tree", async () => {
        await makeTree(local("tree"), { without: withoutInTrees });
        await operate(["put_tree", local("tree"), "put"], ["get_tree", "put", local("got")]);
        const compared = library === "ssh2-sftp-client" ? [] : (["modes", "times"] as const);
        expect(await treeDifferences(local("tree"), remote("put"), compared)).toEqual([]);
        expect(await treeDifferences(local("tree"), local("got"), compared)).toEqual([]);
      });

    it("lists many entries, and knows what they are", async () => {
      await makeManyFiles(remote("many"), MANY);
      await writeFile(remote("file"), "content", { mode: 0o640 });
      await symlink("file", remote("link"));
      const [names, file, link] = await operate(["list", "many"], ["stat", "link"], ["lstat", "link"]);
      expect(names).toEqual(manyNames(MANY));
      const { uid, atimeMs, mtimeMs } = await stat(remote("file"));
      const [accessed, modified] = [Math.floor(atimeMs / 1000), Math.floor(mtimeMs / 1000)];
      expect(file).toEqual({ type: "-", permissions: 0o640, size: 7, uid, accessed, modified });
      expect(link).toMatchObject({ type: "l", size: 4 });
    });

    it("makes, renames and removes", async () => {
      for (const name of ["one", "two", "three"]) await writeFile(remote(name), name);
      const [, , , , path] = await operate(
        ["mkdir", "dir"],
        ["mkdir", "gone"],
        ["rename", "one", "dir/one"],
        ["posix_rename", "two", "dir/one"],
        ["realpath", "dir/../dir/./one"],
        ["rmdir", "gone"],
        ["remove", "three"],
      );
      expect(path).toBe("/dir/one");
      expect(await readdir(fixture.root)).toEqual(["dir"]);
      expect(await readFile(remote("dir/one"), "utf8")).toBe("two");
    });

    it("reads anywhere, appends and changes modes", async () => {
      await writeFile(remote("file"), "0123456789");
      const [, text] = await operate(["append", "file", "end"], ["read", "file", 8, 4], ["chmod", "file", 0o600]);
      expect(text).toBe("89en");
      expect(await readFile(remote("file"), "utf8")).toBe("0123456789end");
      expect((await lstat(remote("file"))).mode & 0o7777).toBe(0o600);
    });

    it("hears why something failed", async () => {
      await mkdir(remote("dir/sub"), { recursive: true });
      await writeFile(remote("file"), "");
      const missing: Operation[] = [
        ["get", "missing", local("got")],
        ["list", "missing"],
        ["remove", "missing"],
      ];
      expect(await fail(...missing)).toEqual(missing.map(() => expect.stringMatching(/no such file/i)));
      expect(await fail(["rename", "file", "dir"], ["rmdir", "dir"])).toEqual([expect.any(String), expect.any(String)]);
      expect(await readdir(fixture.root)).toEqual(["dir", "file"]);
    });

    if (has("links"))
      it("makes and reads links", async () => {
        await writeFile(remote("file"), "content");
        const operations: Operation[] = [
          ["symlink", "some/where", "link"],
          ["readlink", "link"],
          ["symlink", "/file", "to-file"],
          ["read", "to-file", 0, 100],
        ];
        expect(await operate(...operations)).toEqual([null, "some/where", null, "content"]);
        expect(await readlink(remote("link"))).toBe("some/where");
      });

    if (has("hard links"))
      it("makes hard links", async () => {
        await writeFile(remote("file"), "");
        await operate(["hardlink", "file", "other"]);
        expect((await stat(remote("other"))).ino).toBe((await stat(remote("file"))).ino);
      });

    if (has("attributes"))
      it("changes owners, times and sizes", async () => {
        await writeFile(remote("file"), "0123456789");
        const { uid, gid } = await stat(remote("file"));
        await operate(
          ["chown", "file", uid, gid],
          ["truncate", "file", 3],
          ["utime", "file", 1_000_000, 2_540_000_000],
        );
        expect(await readFile(remote("file"), "utf8")).toBe("012");
        const [found] = await operate(["stat", "file"]);
        expect(found).toMatchObject({ uid, size: 3, modified: 2_540_000_000 });
        expect((await stat(remote("file"))).mtimeMs).toBe(2_540_000_000_000);
      });

    if (has("random writes"))
      it("writes within a file and behind its end", async () => {
        await writeFile(remote("file"), "0123456789");
        await operate(["write", "file", 3, "AB"], ["write", "file", 12, "end"]);
        expect(await readFile(remote("file"), "utf8")).toBe("012AB56789\0\0end");
      });

    if (has("exclusive"))
      it("creates a file only where there is none", async () => {
        const created = await fail(["create_exclusively", "file"], ["create_exclusively", "file"]);
        expect(created).toEqual([undefined, expect.any(String)]);
      });

    if (has("statvfs"))
      it("asks how much room there is", async () => {
        const [found] = await operate(["statvfs", "/"]);
        const { blocks, bsize } = await statfs(fixture.root);
        expect(found).toEqual({ blockSize: bsize, blocks, nameLength: 255 });
      });
  });
}
