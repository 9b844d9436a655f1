import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AccessPolicy } from "../../../../src/files/access-policy.js";
import type { DirectoryEntry, FileSystem } from "../../../../src/files/file-system.js";
import { LocalFileSystem } from "../../../../src/files/local/local-file-system.js";
import { MemoryFileSystem } from "../../../../src/files/memory/memory-file-system.js";
import { audit } from "../../../../src/files/wrappers/audit.js";
import { mount } from "../../../../src/files/wrappers/mount.js";
import { quota } from "../../../../src/files/wrappers/quota.js";
import { readOnly } from "../../../../src/files/wrappers/read-only.js";
import { PacketType } from "../../../../src/sftp/codec/constants.js";
import { dotted } from "../../../support/dotted-file-system.js";
import { type Name, readAttributes, readNames } from "../../../support/sftp-packets.js";
import { startSession, type TestSessionOptions } from "../session.js";

const { LSTAT, READDIR, STATUS } = PacketType;

/** Of the root, of a directory in it, and of one in that. */
const [ROOT, OUTER, INNER] = [0o751, 0o710, 0o705];

function memoryTree(): MemoryFileSystem {
  const files = new MemoryFileSystem();
  files.mkdir("/outer", 0o777);
  files.mkdir("/outer/inner", 0o777);
  files.setstat("/outer/inner", { permissions: INNER });
  files.setstat("/outer", { permissions: OUTER });
  files.setstat("/", { permissions: ROOT });
  return files;
}

/** In a folder with permissions that nothing in it has. */
function localTree(): LocalFileSystem {
  const folder = mkdtempSync(join(tmpdir(), "spindlex-dots-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "root/outer/inner"), { recursive: true });
  for (const [path, permissions] of [
    ["", 0o700],
    ["root", ROOT],
    ["root/outer", OUTER],
    ["root/outer/inner", INNER],
  ] as const) {
    chmodSync(join(folder, path), permissions);
  }
  return new LocalFileSystem(join(folder, "root"));
}

const fileSystems: Readonly<Record<string, () => FileSystem>> = {
  MemoryFileSystem: memoryTree,
  LocalFileSystem: localTree,
  readOnly: () => readOnly(memoryTree()),
  quota: () => quota(memoryTree(), { bytes: 100 }),
  audit: () => audit(memoryTree(), { record: () => {} }),
  mount: () => mount({ "/": memoryTree() }),
  "a file system that lists them": () => dotted(memoryTree()),
};

async function listing(files: FileSystem, options: TestSessionOptions = {}) {
  const { client, warnings } = await startSession(files, options);
  return {
    client,
    /** Why hooks have failed, by the log. */
    failures: () => warnings.map(({ fields }) => (fields as { readonly err?: Error }).err?.message),
    async list(path: string): Promise<Name[]> {
      const handle = await client.opendir(path);
      const names: Name[] = [];
      for (;;) {
        const reply = await client.ask(READDIR, handle);
        if (reply.type === STATUS) return names;
        names.push(...readNames(reply));
      }
    },
  };
}

function missingFile(): never {
  throw Object.assign(new Error("rules.json"), { code: "ENOENT" });
}

/** What is listed, with permission bits. */
function shown(names: readonly Name[]): [name: string, permissions: number][] {
  return names.map(({ name, attributes }) => [name.toString(), attributes.mode & 0o7777]);
}

describe("`.` and `..` of a listing", () => {
  it.each(Object.entries(fileSystems))("%s: come first, once, with their attributes", async (_, make) => {
    const { list } = await listing(make());
    expect(shown(await list("/outer"))).toEqual([
      [".", OUTER],
      ["..", ROOT],
      ["inner", INNER],
    ]);
    expect(shown(await list("/outer/inner"))).toEqual([
      [".", INNER],
      ["..", OUTER],
    ]);
  });

  it.each(Object.entries(fileSystems))("%s: at the root both are of the root", async (_, make) => {
    const { client, list } = await listing(make());
    const names = await list("/");
    expect(shown(names)).toEqual([
      [".", ROOT],
      ["..", ROOT],
      ["outer", OUTER],
    ]);
    // Listing it is an access, so its time of access may have changed meanwhile.
    const { accessTime: _accessTime, ...root } = readAttributes(await client.ask(LSTAT, "/"));
    const both = names.slice(0, 2).map(({ attributes }) => attributes);
    expect(both).toEqual([expect.objectContaining(root), expect.objectContaining(root)]);
  });

  it("have longnames as all entries have", async () => {
    const { list } = await listing(memoryTree());
    const longnames = (await list("/outer")).map(({ longname }) => longname.toString());
    expect(longnames).toEqual([
      expect.stringMatching(/^drwx--x--- .* \.$/),
      expect.stringMatching(/^drwxr-x--x .* \.\.$/),
      expect.stringMatching(/^drwx---r-x .* inner$/),
    ]);
  });

  it("behind a link are those of what it leads to", async () => {
    const files = memoryTree();
    files.symlink("outer/inner", "/link");
    const { list } = await listing(files);
    expect(shown(await list("/link"))).toEqual([
      [".", INNER],
      ["..", OUTER],
    ]);
  });

  it("at a mount point lead to the tree that it is mounted in", async () => {
    const { list } = await listing(mount({ "/": memoryTree(), "/outer/there": memoryTree() }));
    expect(shown(await list("/outer/there")).slice(0, 2)).toEqual([
      [".", ROOT],
      ["..", OUTER],
    ]);
  });

  it("of a file system that only lists are directories, and nothing is known of them", async () => {
    const entry: DirectoryEntry = {
      name: "x",
      attributes: { type: "file", size: 1, permissions: 0o644, accessTime: 0, modifyTime: 0 },
    };
    const { list } = await listing({ readdir: () => [entry] });
    const names = await list("/anywhere");
    expect(names.map(({ name }) => name.toString())).toEqual([".", "..", "x"]);
    const unknown = { size: 0n, uid: 0, gid: 0, mode: 0o040_000, accessTime: 0, modifyTime: 0 };
    expect(names.slice(0, 2).map(({ attributes }) => attributes)).toEqual([unknown, unknown]);
  });

  it.each<[string, AccessPolicy["checkDirectoryAccess"], string[]]>([
    ["refuses", (path) => path !== "/outer", []],
    ["fails", (path) => path !== "/outer" || Promise.reject(new Error("no rules")), ["no rules"]],
    ["throws what a system call throws", (path) => path !== "/outer" || missingFile(), ["rules.json"]],
  ])(
    "do not show a directory for which the policy %s, which the log tells",
    async (_, checkDirectoryAccess, logged) => {
      const access: AccessPolicy = {
        checkDirectoryAccess,
        checkFileAccess: () => true,
        getFilePermissions: () => undefined,
        getDirectoryPermissions: () => undefined,
      };
      const { list, failures } = await listing(memoryTree(), { access });
      expect(shown(await list("/outer/inner"))).toEqual([
        [".", INNER],
        ["..", INNER],
      ]);
      expect(failures()).toEqual(logged);
    },
  );

  it("do not keep a directory from being listed when the one above cannot be looked at", async () => {
    const files = memoryTree();
    const lstat = (path: string) => {
      if (path === "/outer") throw Object.assign(new Error("/real/outer"), { code: "EIO" });
      return files.lstat(path);
    };
    const { list } = await listing({ lstat, readdir: (path) => files.readdir(path) });
    expect(shown(await list("/outer/inner"))).toEqual([
      [".", INNER],
      ["..", INNER],
    ]);
  });
});
