import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LinkInPathError } from "../../../src/files/errors.js";
import { PathResolver } from "../../../src/files/path-resolver.js";
import { Drive, expectFailure, failureOf } from "../conformance/drive.js";
import { Fixture, localFileSystemOn, SECRET } from "./fixture.js";

describe.each(["linux", "darwin"] as const)("links that lead outside, on %s", (platform) => {
  let fixture: Fixture;
  let drive: Drive;
  let resolver: PathResolver;

  beforeEach(() => {
    fixture = new Fixture();
    const fileSystem = localFileSystemOn(platform, fixture.root);
    drive = new Drive(fileSystem);
    resolver = new PathResolver(fileSystem, "/");
    writeFileSync(fixture.at("inside"), "what lies inside");
    mkdirSync(fixture.at("directory"));
    symlinkSync("../../outside", fixture.at("directory/relative"));
    symlinkSync(fixture.outside, fixture.at("absolute"));
    symlinkSync("absolute/sub", fixture.at("chain"));
    symlinkSync("absolute/file", fixture.at("file"));
    symlinkSync("/proc/self/root", fixture.at("magic"));
    symlinkSync("/proc/self/cwd", fixture.at("working-directory"));
    symlinkSync("loop", fixture.at("loop"));
  });

  afterEach(async () => {
    await drive[Symbol.asyncDispose]();
    await fixture[Symbol.asyncDispose]();
  });

  const through = [
    "/directory/relative/file",
    "/absolute/file",
    "/absolute/sub/secret",
    "/chain/secret",
    "/magic/etc/passwd",
    "/working-directory/package.json",
    "/loop/file",
    "/file/file",
  ];

  it.each(through)("does nothing by way of %s", async (path) => {
    const operations = [
      () => drive.open(path, "read"),
      () => drive.open(path, "write create truncate"),
      () => drive.open(path, "write create exclusive"),
      () => drive.lstat(path),
      () => drive.setstat(path, { size: 0 }),
      () => drive.setstat(path, { permissions: 0o777, times: { accessTime: 1, modifyTime: 1 } }),
      () => drive.list(path),
      () => drive.remove(path),
      () => drive.mkdir(path),
      () => drive.rmdir(path),
      () => drive.rename(path, "/moved"),
      () => drive.rename("/inside", path),
      () => drive.posixRename(path, "/moved"),
      () => drive.posixRename("/inside", path),
      () => drive.readlink(path),
      () => drive.symlink("/inside", path),
      () => drive.hardlink(path, "/moved"),
      () => drive.hardlink("/inside", path),
      () => drive.statvfs(path),
    ];
    for (const operation of operations) expect(await failureOf(operation)).toBeInstanceOf(LinkInPathError);
  });

  it("opens, lists and measures no link", async () => {
    for (const path of ["/file", "/absolute", "/directory/relative", "/magic", "/loop"]) {
      for (const flags of ["read", "write", "read write create", "write create truncate", "write append"]) {
        expect(await failureOf(() => drive.open(path, flags))).toBeInstanceOf(LinkInPathError);
      }
      await expectFailure("EEXIST", () => drive.open(path, "write create exclusive"));
      expect(await failureOf(() => drive.list(path))).toBeInstanceOf(LinkInPathError);
      expect(await failureOf(() => drive.statvfs(path))).toBeInstanceOf(LinkInPathError);
    }
  });

  it("changes, moves and removes the links themselves", async () => {
    expect((await drive.lstat("/file")).type).toBe("symlink");
    await drive.setstat("/file", { owner: { uid: 0, gid: 0 }, times: { accessTime: 1, modifyTime: 2 } });
    expect((await drive.lstat("/file")).modifyTime).toBe(2);
    await expectFailure("ENOTSUP", () => drive.setstat("/file", { permissions: 0o777 }));
    await expectFailure("EINVAL", () => drive.setstat("/file", { size: 0 }));
    await drive.hardlink("/file", "/second");
    expect(await drive.readlink("/second")).toBe("absolute/file");
    await drive.rename("/second", "/third");
    await drive.posixRename("/third", "/inside");
    await drive.remove("/inside");
    await drive.remove("/absolute");
  });

  it("reads links as a chroot would", async () => {
    mkdirSync(fixture.at(fixture.outside), { recursive: true });
    writeFileSync(fixture.at(`${fixture.outside}/file`), "inside, under the same name");
    const read = (path: string) => resolver.run(path, "follow", (canonical) => drive.read(canonical).then(String));
    expect(await read("/file")).toBe("inside, under the same name");
    expect(await read("/absolute/../outside/file")).toBe("inside, under the same name");
    await expectFailure("ENOENT", () => read("/directory/relative/file"));
    await expectFailure("ENOENT", () => read("/chain/secret"));
    await expectFailure("ELOOP", () => read("/loop"));
    await drive.symlink("../../../../../../inside", "/directory/up");
    expect(await read("/directory/up")).toBe("what lies inside");
    expect(await read("/../../directory/../inside")).toBe("what lies inside");
    await drive.symlink(fixture.at("inside"), "/by-its-place-on-the-disk");
    await expectFailure("ENOENT", () => read("/by-its-place-on-the-disk"));
  });

  it("creates what a dangling link names inside", async () => {
    await drive.symlink("/directory/new", "/dangling");
    const file = await resolver.run("/dangling", "follow", (path) => drive.open(path, "write create"));
    await file.write("new", 0);
    await file.close();
    expect(String(await drive.read("/directory/new"))).toBe("new");
  });

  it.each([
    "relative",
    "/..",
    "/../outside",
    "/directory/../../outside/file",
    "/a/./b",
    "/directory/..",
    "/.",
    "//",
    "",
  ])("refuses %j, which is no canonical path", async (path) => {
    for (const operation of [
      () => drive.lstat(path),
      () => drive.open(path, "read"),
      () => drive.mkdir(path),
      () => drive.remove(path),
      () => drive.list(path),
      () => drive.rename("/inside", path),
    ]) {
      expect(await failureOf(operation)).toBeInstanceOf(Error);
    }
    expect(readdirSync(fixture.at("directory"))).toEqual(["relative"]);
  });

  it("tells of failures without a word about the disk", async () => {
    const error = await failureOf(() => resolver.run("/absolute/file", "follow", (path) => drive.read(path)));
    expect(String(error)).not.toContain("outside");
    expect(String(error)).not.toContain(SECRET);
  });
});
