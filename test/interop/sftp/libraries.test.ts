import { lstat, mkdir, readdir, readFile, readlink, stat, statfs, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { type LibraryName, type Operation, TRIED_LIBRARIES } from "../../support/clients-sftp.js";
import { extent, isLong } from "../../support/extent.js";
import { type OperationResult, sftpFixture } from "../../support/sftp-fixture.js";
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

/** Of the files that the tests make. */
const OWNER = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** More than come in one answer. */
const MANY = extent(300, 2000);

const fixture = sftpFixture();

/** Some operations in a folder of their own. */
interface Part {
  readonly folder: string;
  /** What the library has to have calls for. */
  readonly feature?: Feature;
  readonly prepare?: (at: string) => Promise<unknown>;
  readonly operations: (folder: string) => readonly Operation[];
  readonly check: (outcome: Outcome) => Promise<void> | void;
}

interface Outcome {
  readonly results: readonly OperationResult[];
  /** Of what succeeded: anything else fails here. */
  readonly values: () => readonly unknown[];
  /** Where the folder is on this machine. */
  readonly at: string;
}

const valuesOf = (results: readonly OperationResult[]) => () =>
  results.map(({ value, error }) => {
    if (error !== undefined) throw new Error(error);
    return value;
  });

const PARTS: readonly Part[] = [
  {
    folder: "names",
    async prepare(at) {
      for (const name of ["one", "two", "three"]) await writeFile(join(at, name), name);
    },
    operations: (folder) => [
      ["mkdir", `${folder}/dir`],
      ["mkdir", `${folder}/gone`],
      ["rename", `${folder}/one`, `${folder}/dir/one`],
      ["posix_rename", `${folder}/two`, `${folder}/dir/one`],
      ["realpath", `${folder}/dir/../dir/./one`],
      ["rmdir", `${folder}/gone`],
      ["remove", `${folder}/three`],
    ],
    async check({ values, at }) {
      expect(values()[4]).toBe("/names/dir/one");
      expect(await readdir(at)).toEqual(["dir"]);
      expect(await readFile(join(at, "dir/one"), "utf8")).toBe("two");
    },
  },
  {
    folder: "contents",
    prepare: (at) => writeFile(join(at, "file"), "0123456789"),
    operations: (folder) => [
      ["append", `${folder}/file`, "end"],
      ["read", `${folder}/file`, 8, 4],
      ["chmod", `${folder}/file`, 0o600],
    ],
    async check({ values, at }) {
      expect(values()[1]).toBe("89en");
      expect(await readFile(join(at, "file"), "utf8")).toBe("0123456789end");
      expect((await lstat(join(at, "file"))).mode & 0o7777).toBe(0o600);
    },
  },
  {
    folder: "links",
    feature: "links",
    prepare: (at) => writeFile(join(at, "file"), "content"),
    operations: (folder) => [
      ["symlink", "some/where", `${folder}/link`],
      ["readlink", `${folder}/link`],
      ["symlink", `/${folder}/file`, `${folder}/to-file`],
      ["read", `${folder}/to-file`, 0, 100],
    ],
    async check({ values, at }) {
      expect(values()).toEqual([null, "some/where", null, "content"]);
      expect(await readlink(join(at, "link"))).toBe("some/where");
    },
  },
  {
    folder: "hard-links",
    feature: "hard links",
    prepare: (at) => writeFile(join(at, "file"), ""),
    operations: (folder) => [["hardlink", `${folder}/file`, `${folder}/other`]],
    async check({ values, at }) {
      values();
      expect((await stat(join(at, "other"))).ino).toBe((await stat(join(at, "file"))).ino);
    },
  },
  {
    folder: "attributes",
    feature: "attributes",
    prepare: (at) => writeFile(join(at, "file"), "0123456789"),
    operations: (folder) => [
      ["chown", `${folder}/file`, OWNER.uid, OWNER.gid],
      ["truncate", `${folder}/file`, 3],
      ["utime", `${folder}/file`, 1_000_000, 2_540_000_000],
      ["stat", `${folder}/file`],
    ],
    async check({ values, at }) {
      expect(values()[3]).toMatchObject({ uid: OWNER.uid, size: 3, modified: 2_540_000_000 });
      expect((await stat(join(at, "file"))).mtimeMs).toBe(2_540_000_000_000);
      expect(await readFile(join(at, "file"), "utf8")).toBe("012");
    },
  },
  {
    folder: "writes",
    feature: "random writes",
    prepare: (at) => writeFile(join(at, "file"), "0123456789"),
    operations: (folder) => [
      ["write", `${folder}/file`, 3, "AB"],
      ["write", `${folder}/file`, 12, "end"],
    ],
    async check({ values, at }) {
      values();
      expect(await readFile(join(at, "file"), "utf8")).toBe("012AB56789\0\0end");
    },
  },
  {
    folder: "exclusive",
    feature: "exclusive",
    operations: (folder) => [
      ["create_exclusively", `${folder}/file`],
      ["create_exclusively", `${folder}/file`],
    ],
    check({ results }) {
      expect(results.map(({ error }) => error)).toEqual([undefined, expect.any(String)]);
    },
  },
  {
    folder: "room",
    feature: "statvfs",
    operations: () => [["statvfs", "/"]],
    async check({ values, at }) {
      const { blocks, bsize } = await statfs(at);
      expect(values()).toEqual([{ blockSize: bsize, blocks, nameLength: 255 }]);
    },
  },
  {
    folder: "listed",
    async prepare(at) {
      await makeManyFiles(join(at, "many"), MANY);
      await writeFile(join(at, "file"), "content", { mode: 0o640 });
      await symlink("file", join(at, "link"));
    },
    operations: (folder) => [
      ["list", `${folder}/many`],
      ["stat", `${folder}/link`],
      ["lstat", `${folder}/link`],
    ],
    async check({ values, at }) {
      const [names, file, link] = values();
      expect(names).toEqual(manyNames(MANY));
      const { uid, atimeMs, mtimeMs } = await stat(join(at, "file"));
      const [accessed, modified] = [Math.floor(atimeMs / 1000), Math.floor(mtimeMs / 1000)];
      expect(file).toEqual({ type: "-", permissions: 0o640, size: 7, uid, accessed, modified });
      expect(link).toMatchObject({ type: "l", size: 4 });
    },
  },
  {
    folder: "failures",
    async prepare(at) {
      await mkdir(join(at, "dir/sub"), { recursive: true });
      await writeFile(join(at, "file"), "");
    },
    operations: (folder) => [
      ["get", `${folder}/missing`, join(fixture.local, "got")],
      ["list", `${folder}/missing`],
      ["remove", `${folder}/missing`],
      ["rename", `${folder}/file`, `${folder}/dir`],
      ["rmdir", `${folder}/dir`],
    ],
    async check({ results, at }) {
      const errors = results.map(({ error }) => error);
      expect(errors.slice(0, 3)).toEqual(Array(3).fill(expect.stringMatching(/no such file/i)));
      expect(errors.slice(3)).toEqual([expect.any(String), expect.any(String)]);
      expect(await readdir(at)).toEqual(["dir", "file"]);
    },
  },
];

for (const library of TRIED_LIBRARIES) {
  const has = (feature: Feature) => !LACKS[library].includes(feature);

  describe(library, needs(library), () => {
    const remote = (name: string) => join(fixture.root, name);
    const local = (name: string) => join(fixture.local, name);
    const operate = (...operations: Operation[]) => fixture.operateOk(library, operations);

    const withoutInTrees = CARRIES_TREES[library];
    if (isLong || withoutInTrees === undefined)
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

    if (withoutInTrees)
      it("puts and gets a whole tree", async () => {
        await makeTree(local("tree"), { without: withoutInTrees });
        await operate(["put_tree", local("tree"), "put"], ["get_tree", "put", local("got")]);
        const compared = library === "ssh2-sftp-client" ? [] : (["modes", "times"] as const);
        expect(await treeDifferences(local("tree"), remote("put"), compared)).toEqual([]);
        expect(await treeDifferences(local("tree"), local("got"), compared)).toEqual([]);
      });

    // All in one session: the libraries take longer to start than to do it.
    it("does what it has calls for, and hears why something failed", async () => {
      const parts = PARTS.filter(({ feature }) => feature === undefined || has(feature));
      for (const { folder, prepare } of parts) {
        await mkdir(remote(folder));
        await prepare?.(remote(folder));
      }
      const results = await fixture.operate(
        library,
        parts.flatMap(({ folder, operations }) => operations(folder)),
      );
      for (const { folder, operations, check } of parts) {
        const own = results.splice(0, operations(folder).length);
        await check({ results: own, values: valuesOf(own), at: remote(folder) });
      }
      expect(results).toEqual([]);
    });
  });
}
