import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createServer } from "node:net";
import { dirname, join, relative } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/base/configuration-error.js";
import { systemErrorCode } from "../../../src/base/system-error-code.js";
import { LinkInPathError, toFileError } from "../../../src/files/errors.js";
import { COMPLETED } from "../../../src/files/file-outcome.js";
import { LocalFileSystem } from "../../../src/files/local/local-file-system.js";
import { extent } from "../../support/extent.js";
import { Drive, expectFailure, failureOf, openOptions } from "../conformance/drive.js";
import { expectOpenDescriptors, Fixture, localFileSystemOn, openDescriptors } from "./fixture.js";

const isRoot = process.getuid?.() === 0;

let fixture: Fixture;
let drive: Drive;

beforeEach(() => {
  fixture = new Fixture();
  drive = fixture.drive;
});

afterEach(() => fixture[Symbol.asyncDispose]());

describe.each(["linux", "darwin"] as const)("the root on %s", (platform) => {
  const driveOf = (root: string) => new Drive(localFileSystemOn(platform, root));

  it("is made where only its last name is missing", async () => {
    const root = fixture.at("new");
    const fileSystem = driveOf(root);
    expect(fs.existsSync(root)).toBe(false);
    await Promise.all([fileSystem.write("/a", "1"), fileSystem.mkdir("/b"), fileSystem.list("/")]);
    expect(fs.statSync(root).mode & 0o7777).toBe(0o700);
    expect(await fileSystem.list("/")).toEqual(["a", "b"]);
  });

  it.each([
    ["lies in no directory", "missing/root"],
    ["is a file", "file"],
    ["is a dangling link", "dangling"],
  ])("cannot be used where it %s, and only the log learns why", async (_, name) => {
    fs.writeFileSync(fixture.at("file"), "");
    fs.symlinkSync("missing", fixture.at("dangling"));
    const error = await failureOf(() => driveOf(fixture.at(name)).lstat("/"));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(String(error)).toContain(fixture.at(name));
    expect(toFileError(error).message).toBe("Failure");
  });

  it("does not come back empty once it has vanished", async () => {
    fs.mkdirSync(fixture.at("disk"));
    const fileSystem = driveOf(fixture.at("disk"));
    expect(await fileSystem.list("/")).toEqual([]);
    fs.rmdirSync(fixture.at("disk"));
    expect(await failureOf(() => fileSystem.write("/file", ""))).toBeInstanceOf(ConfigurationError);
    expect(fs.existsSync(fixture.at("disk"))).toBe(false);
  });

  it("may lead through links, be relative, and be replaced", async () => {
    fs.mkdirSync(fixture.at("first"));
    fs.mkdirSync(fixture.at("second"));
    fs.writeFileSync(fixture.at("first/one"), "");
    fs.writeFileSync(fixture.at("second/two"), "");
    fs.symlinkSync("first", fixture.at("current"));
    expect(await driveOf(fixture.at("current")).list("/")).toEqual(["one"]);
    const moving = driveOf(relative(process.cwd(), fixture.at("first")));
    expect(await moving.list("/")).toEqual(["one"]);
    fs.renameSync(fixture.at("first"), fixture.at("old"));
    fs.renameSync(fixture.at("second"), fixture.at("first"));
    expect(await moving.list("/")).toEqual(["two"]);
    expect((await moving.lstat("/two")).type).toBe("file");
  });

  it("may be the root of the disk", async () => {
    const whole = driveOf("/");
    expect((await whole.lstat("/")).type).toBe("directory");
    await whole.write(fixture.at("file"), "content");
    expect(String(await whole.read(fixture.at("file")))).toBe("content");
    expect(await whole.list(fixture.root)).toEqual(["file"]);
    expect(await failureOf(() => whole.list("/proc/self"))).toBeInstanceOf(LinkInPathError);
    expect(await failureOf(() => whole.list("/proc/self/cwd"))).toBeInstanceOf(LinkInPathError);
  });
});

it.skipIf(process.platform !== "linux")("leaves this process alone, which /proc shows as files", async () => {
  const whole = new LocalFileSystem("/");
  const denied = expect.objectContaining({ code: "EACCES" });
  const own = `/proc/${process.pid}`;
  for (const path of [`${own}/mem`, `${own}/task/${process.pid}/mem`, `${own}/environ`]) {
    for (const flags of ["read", "write", "read write"]) {
      await expect(whole.open(path, openOptions(flags)), path).rejects.toEqual(denied);
    }
  }
  for (const path of [`${own}/comm`, `${own}/oom_score_adj`, "/proc/sys/kernel/hostname"]) {
    await expect(whole.open(path, openOptions("write")), path).rejects.toEqual(denied);
    await expect(whole.setstat(path, { size: 0 }), path).rejects.toEqual(denied);
  }
  const version = await whole.open("/proc/version", openOptions("read"));
  const text = Buffer.alloc(100);
  expect(text.toString("utf8", 0, await version.read?.(text, 0))).toContain("Linux");
  await version.close?.(COMPLETED);
});

it("refuses a root without a name", () => {
  for (const root of ["", "a\0b"]) expect(() => new LocalFileSystem(root)).toThrow(ConfigurationError);
});

it("keeps a file that has its new name when somebody takes the old one away", async () => {
  const [from, to] = [fixture.at("from"), fixture.at("to")];
  let taken = 0;
  for (let turns = 0; taken === 0 && turns < 30; turns++) {
    fs.writeFileSync(from, "data");
    const renamed = drive.rename("/from", "/to");
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    // As long as nothing else has its turn, the old name is not removed after the new one was made.
    for (const end = performance.now() + 20; performance.now() < end && !fs.existsSync(to); );
    if (fs.existsSync(to) && fs.existsSync(from)) {
      fs.unlinkSync(from);
      taken++;
    }
    await renamed;
    expect(fs.readFileSync(to, "utf8")).toBe("data");
    fs.unlinkSync(to);
  }
  expect(taken).toBeGreaterThan(0);
});

describe("directories that are kept", () => {
  it("are left when another has come into their place", async () => {
    await drive.mkdir("/a");
    await drive.mkdir("/a/b");
    await drive.write("/a/b/file", "old");
    fs.renameSync(fixture.at("a"), fixture.at("moved"));
    await expectFailure("ENOENT", () => drive.lstat("/a/b/file"));
    expect(String(await drive.read("/moved/b/file"))).toBe("old");
    fs.mkdirSync(fixture.at("a/b"), { recursive: true });
    fs.writeFileSync(fixture.at("a/b/file"), "new");
    expect(String(await drive.read("/a/b/file"))).toBe("new");
    fs.rmSync(fixture.at("a/b"), { recursive: true });
    fs.symlinkSync("../moved/b", fixture.at("a/b"));
    expect(await failureOf(() => drive.lstat("/a/b/file"))).toBeInstanceOf(LinkInPathError);
    fs.unlinkSync(fixture.at("a/b"));
    fs.writeFileSync(fixture.at("a/b"), "");
    await expectFailure("ENOTDIR", () => drive.lstat("/a/b/file"));
  });

  it("do not hold what has been deleted in the place of what is new", async () => {
    for (let round = 0; round < 20; round++) {
      await drive.mkdir("/a");
      await drive.write("/a/file", `${round}`);
      expect(await drive.list("/a")).toEqual(["file"]);
      await drive.remove("/a/file");
      await drive.rmdir("/a");
      await expectFailure("ENOENT", () => drive.write("/a/file", ""));
    }
  });

  it("are more than are kept, and deeper", async () => {
    const descriptors = openDescriptors().length;
    const names = Array.from({ length: 100 }, (_, index) => `/${index}`);
    for (const name of names) await drive.mkdir(name);
    for (let round = 0; round < 3; round++) await Promise.all(names.map((name) => drive.write(`${name}/file`, name)));
    for (const name of names) expect(String(await drive.read(`${name}/file`))).toBe(name);
    for (let depth = 1; depth <= 300; depth++) await drive.mkdir("/directory".repeat(depth));
    const deep = "/directory".repeat(300);
    await drive.write(`${deep}/file`, "deep");
    await drive.write(`${deep}/file`, "deeper");
    expect(String(await drive.read(`${deep}/file`))).toBe("deeper");
    expect(openDescriptors().length).toBeLessThan(descriptors + 50);
    await expectOpenDescriptors(descriptors);
  });

  it("are all closed soon, whatever was done", async () => {
    const descriptors = openDescriptors().length;
    await drive.mkdir("/directory");
    for (let index = 0; index < 200; index++) await drive.write(`/directory/${index}`, "");
    for await (const _ of drive.fileSystem.readdir?.("/directory") ?? []) break;
    const operations = [
      () => drive.open("/directory", "read"),
      () => drive.open("/directory/missing", "read"),
      () => drive.open("/directory/0/file", "read"),
      () => drive.list("/missing"),
      () => drive.list("/directory/0"),
      () => drive.statvfs("/missing"),
      () => drive.setstat("/directory", { size: 1 }),
      () => drive.setstat("/directory/missing", { permissions: 0 }),
      () => drive.rename("/missing/a", "/directory/b"),
      () => drive.rename("/directory/0", "/missing/b"),
    ];
    for (let round = 0; round < 20; round++) {
      await Promise.all([
        ...operations.map(failureOf),
        drive.list("/directory"),
        drive.setstat("/directory/1", { size: round, permissions: 0o600, times: { accessTime: 1, modifyTime: 2 } }),
        drive.statvfs("/directory/1"),
      ]);
    }
    await expectOpenDescriptors(descriptors);
  });
});

describe("an open file", () => {
  it("stays the same when the directories above it move and go", async () => {
    await drive.mkdir("/a");
    await drive.mkdir("/a/b");
    const file = await drive.open("/a/b/file", "read write create");
    await file.write("first", 0);
    await drive.posixRename("/a", "/c");
    await file.write(" second", 5);
    expect(fs.readFileSync(fixture.at("c/b/file"), "utf8")).toBe("first second");
    await drive.remove("/c/b/file");
    expect(String(await file.read(100, 0))).toBe("first second");
    expect((await file.stat()).links).toBe(0);
    await file.close();
  });

  it("has an identity that all its names share", async () => {
    await drive.write("/file", "");
    await drive.hardlink("/file", "/second");
    await drive.write("/other", "");
    const files = await Promise.all(["/file", "/second", "/other"].map((path) => drive.open(path, "read")));
    const [first, second, other] = files.map(({ handle }) => handle.identity);
    expect(first).toBe(second);
    expect(first).not.toBe(other);
  });

  it("reads what was written after it was opened", async () => {
    await drive.write("/file", "1234");
    const file = await drive.open("/file", "read");
    expect(String(await file.read(10, 0))).toBe("1234");
    fs.appendFileSync(fixture.at("file"), "5678");
    expect(String(await file.read(10, 2)) + String(await file.read(10, 4))).toContain("5678");
    expect(await file.read(10, 8)).toHaveLength(0);
  });

  it("sets what can be set, and fails with what cannot", async () => {
    const file = await drive.open("/file", "write create");
    const times = { accessTime: 1000, modifyTime: 2000 };
    const changes = { size: 5, permissions: 0o4750, owner: { uid: 0, gid: 0 }, times };
    if (isRoot) await file.setstat(changes);
    if (isRoot) expect(await drive.lstat("/file")).toMatchObject({ size: 5, permissions: 0o4750, ...times });
    const reader = await drive.open("/file", "read");
    await expectFailure("EINVAL", () => reader.setstat({ size: 1, permissions: 0o600 }));
    expect((await drive.lstat("/file")).permissions).toBe(0o600);
  });
});

describe("what is not a regular file", () => {
  const special = ["/fifo", "/socket", "/null"];

  it.each(special)("%s is listed, moved and removed, and never opened or waited for", async (path) => {
    expect(spawnSync("mkfifo", [fixture.at("fifo")]).status).toBe(0);
    const server = createServer().listen(fixture.at("socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    if (path === "/null" && spawnSync("mknod", [fixture.at("null"), "c", "1", "3"]).status !== 0) return;
    for (const flags of ["read", "write", "read write", "write create truncate", "write append"]) {
      const error = toFileError(await failureOf(() => drive.open(path, flags)));
      expect(error.message).toBe("Not a regular file");
    }
    expect((await failureOf(() => drive.setstat(path, { size: 0 }))) instanceof Error).toBe(true);
    await drive.setstat(path, { permissions: 0o600, times: { accessTime: 1, modifyTime: 2 } });
    const { type, permissions, modifyTime } = await drive.lstat(path);
    expect({ permissions, modifyTime }).toEqual({ permissions: 0o600, modifyTime: 2 });
    expect(["fifo", "socket", "character-device"]).toContain(type);
    await drive.rename(path, "/moved");
    expect((await drive.entries("/")).find(({ name }) => name === "moved")?.attributes.type).toBe(type);
    await drive.remove("/moved");
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("a directory", () => {
  it("lists names that are not UTF-8, and they lead back", async () => {
    const bytes = Buffer.from("626164ff2f66fe696ce9", "hex"); // "bad\xff/f\xfeil\xe9"
    fs.mkdirSync(Buffer.concat([Buffer.from(`${fixture.root}/`), bytes.subarray(0, 4)]));
    fs.writeFileSync(Buffer.concat([Buffer.from(`${fixture.root}/`), bytes]), "found");
    const [directory = ""] = await drive.list("/");
    const [file = ""] = await drive.list(`/${directory}`);
    for (let round = 0; round < 2; round++) {
      expect(String(await drive.read(`/${directory}/${file}`))).toBe("found");
    }
    await drive.symlink(`${directory}/${file}`, "/link");
    expect(fs.readlinkSync(fixture.at("link"), "buffer")).toEqual(bytes);
    expect(await drive.readlink("/link")).toBe(`${directory}/${file}`);
  });

  it("does not mistake one name that is not UTF-8 for another", async () => {
    for (const byte of [0xfe, 0xff]) {
      const path = Buffer.concat([Buffer.from(fixture.at("d")), Buffer.of(byte)]);
      fs.mkdirSync(path);
      fs.writeFileSync(Buffer.concat([path, Buffer.from("/file")]), `${byte}`);
    }
    fs.mkdirSync(fixture.at("d\ufffd"));
    for (let round = 0; round < 2; round++) {
      expect(String(await drive.read("/d\udcfe/file"))).toBe("254");
      expect(String(await drive.read("/d\udcff/file"))).toBe("255");
      expect(await drive.list("/d\ufffd")).toEqual([]);
    }
  });

  it("lists each of very many entries once, in reach of a small memory", async () => {
    fs.mkdirSync(fixture.at("large"));
    const length = extent(1_500, 12_000);
    const names = Array.from({ length }, (_, index) => `${"long-name-".repeat(20)}${index}-\xe9`);
    for (const name of names) fs.writeFileSync(fixture.at(`large/${name}`), "");
    expect(fs.statSync(fixture.at("large")).size).toBeGreaterThan(256 * 1024);
    const started = openDescriptors().length;
    expect(await drive.list("/large")).toEqual(names.sort());
    let seen = 0;
    for await (const _ of drive.fileSystem.readdir?.("/large") ?? []) if (++seen === 100) break;
    await expectOpenDescriptors(started);
  });

  it("leaves out what vanishes while it is listed", async () => {
    for (let index = 0; index < 200; index++) await drive.write(`/${index}`, "");
    const listed: string[] = [];
    for await (const { name } of drive.fileSystem.readdir?.("/") ?? []) {
      if (listed.length === 0) for (let index = 0; index < 200; index++) fs.unlinkSync(fixture.at(`${index}`));
      listed.push(name);
    }
    expect(listed.length).toBeGreaterThan(0);
    expect(listed.length).toBeLessThan(200);
  });
});

describe("permissions", () => {
  it("of what is new are those asked for, less the umask", async () => {
    const before = process.umask(0o027);
    try {
      await (await drive.open("/file", "write create", 0o666)).close();
      await (await drive.open("/default", "write create")).close();
      await drive.mkdir("/directory", 0o777);
    } finally {
      process.umask(before);
    }
    const permissions = async (path: string) => (await drive.lstat(path)).permissions;
    expect(await permissions("/file")).toBe(0o640);
    expect(await permissions("/default")).toBe(0o640);
    expect(await permissions("/directory")).toBe(0o750);
  });

  it.runIf(isRoot)("hold for a process that has given up its rights", async () => {
    fs.chmodSync(dirname(fixture.root), 0o755);
    fs.chmodSync(fixture.root, 0o777);
    fs.mkdirSync(fixture.at("private"), { mode: 0o700 });
    fs.writeFileSync(fixture.at("private/file"), "", { mode: 0o600 });
    fs.writeFileSync(fixture.at("readable"), "content", { mode: 0o644 });
    await drive.lstat("/private/file"); // kept from when it had them
    process.seteuid?.(65534);
    try {
      for (const operation of [
        () => drive.lstat("/private/file"),
        () => drive.list("/private"),
        () => drive.open("/private/new", "write create"),
        () => drive.open("/readable", "write truncate"),
      ]) {
        await expectFailure("EACCES", operation);
      }
      await expectFailure("EPERM", () => drive.setstat("/readable", { permissions: 0o777 }));
      expect(String(await drive.read("/readable"))).toBe("content");
      await drive.mkdir("/own");
      await drive.write("/own/file", "own");
      await drive.setstat("/own/file", { permissions: 0o600, size: 1 });
      await drive.rename("/own/file", "/own/renamed");
      expect(await drive.list("/own")).toEqual(["renamed"]);
    } finally {
      process.seteuid?.(0);
    }
    expect(fs.readFileSync(fixture.at("readable"), "utf8")).toBe("content");
  });
});

it.runIf(isRoot)("leaves what fits when the disk is full", async (context) => {
  const mountPoint = join(dirname(fixture.root), "disk");
  fs.mkdirSync(mountPoint);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", mountPoint]).status !== 0) context.skip();
  try {
    const full = new Drive(new LocalFileSystem(mountPoint));
    const file = await full.open("/file", "write create");
    await expectFailure("ENOSPC", () => file.write(Buffer.alloc(128 * 1024, 1), 0));
    expect((await file.stat()).size).toBe(64 * 1024);
    await file.close();
    expect(await full.statvfs("/")).toMatchObject({ blockSize: 4096, blocks: 16, freeBlocks: 0, availableBlocks: 0 });
    await full.remove("/file");
    expect(await full.statvfs("/")).toMatchObject({ freeBlocks: 16, maximumNameLength: 255 });
  } finally {
    spawnSync("umount", ["-l", mountPoint]);
  }
});

it("renames onto no other file, also where there are no hard links", async () => {
  await drive.write("/old", "old");
  await drive.write("/new", "new");
  await expectFailure("EEXIST", () => drive.rename("/old", "/new"));
  const elsewhere = new Drive(localFileSystemOn("darwin", fixture.root));
  await elsewhere.symlink("old", "/link");
  const original = process.platform;
  Object.defineProperty(process, "platform", { value: "darwin" });
  try {
    await expectFailure("EEXIST", () => elsewhere.rename("/link", "/new"));
    await elsewhere.rename("/link", "/moved");
    await expectFailure("EPERM", () => elsewhere.hardlink("/moved", "/second"));
  } finally {
    Object.defineProperty(process, "platform", { value: original });
  }
  expect(await drive.readlink("/moved")).toBe("old");
  expect(String(await drive.read("/new"))).toBe("new");
});

it("names the users and groups of the system", async () => {
  const { fileSystem } = drive;
  expect(await fileSystem.userNames?.([0, 4_294_967_294])).toEqual(["root", undefined]);
  expect(await fileSystem.groupNames?.([4_294_967_294, 0])).toEqual([undefined, "root"]);
  expect(localFileSystemOn("win32", fixture.root).userNames).toBeUndefined();
});

it("throws the errors of the operating system as they are", async () => {
  expect(systemErrorCode(await failureOf(() => drive.lstat("/missing")))).toBe("ENOENT");
  await expectFailure("ENAMETOOLONG", () => drive.lstat(`/${"a".repeat(256)}`));
  await expectFailure("EINVAL", () => drive.mkdir("/\ud800"));
  expect(await failureOf(() => drive.lstat("/a\0b"))).toBeInstanceOf(Error);
});
