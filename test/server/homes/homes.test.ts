import { chmod, lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ConfigurationError, type Connection, type HomeQuota, homes, NoHomeError } from "../../../src/index.js";
import {
  atomicUploads,
  FileError,
  type FileOutcome,
  type FileSystem,
  LocalFileSystem,
  MemoryFileSystem,
  readOnly,
} from "../../../src/sftp/index.js";
import { Drive, expectFailure } from "../../files/conformance/drive.js";
import { openDescriptors } from "../../files/local/fixture.js";
import { temporaryFolder } from "../../support/tools.js";

const parent = temporaryFolder();
let roots = 0;

async function newRoot(): Promise<string> {
  const root = join(parent, `root-${roots++}`);
  await mkdir(root);
  return root;
}

/** A client of a user, until `leave`. */
function clientOf(user: string) {
  const end = new AbortController();
  const connection = { signal: end.signal, username: user } as Connection;
  return { user, connection, leave: () => end.abort() };
}

async function driveOf(serve: ReturnType<typeof homes>, user: string): Promise<Drive> {
  return new Drive((await serve(clientOf(user))).fileSystem);
}

describe("homes", () => {
  it("are made at the first login, for their user alone", async () => {
    const root = await newRoot();
    const serve = homes({ root });
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const ann = await driveOf(serve, "ann");
    await ann.write("/file", "of ann");
    await driveOf(serve, "ben.smith@example.com");
    expect((await readdir(root)).sort()).toEqual(["ann", "ben.smith@example.com"]);
    expect((await lstat(join(root, "ann"))).mode & 0o777).toBe(0o700);
    expect(await readFile(join(root, "ann", "file"), "utf8")).toBe("of ann");
    await expectFailure("ENOENT", async () => (await driveOf(serve, "ben.smith@example.com")).read("/file"));
  });

  it("stay as they are where they are there", async () => {
    const root = await newRoot();
    await mkdir(join(root, "ann"));
    await chmod(join(root, "ann"), 0o750);
    await driveOf(homes({ root, create: false }), "ann");
    expect((await lstat(join(root, "ann"))).mode & 0o777).toBe(0o750);
  });

  it.each([
    "",
    ".",
    "..",
    ".ssh",
    "ann.",
    "a/b",
    "../ann",
    "/ann",
    "a\\b",
    "a\0b",
    "a b",
    "a\nb",
    "-rf",
    "+a",
    "@a",
    "c:",
    "ännchen",
    "a".repeat(65),
    "\ud800",
  ])("are not for %j", async (user) => {
    const root = await newRoot();
    const serve = homes({ root });
    await expect(serve(clientOf(user))).rejects.toThrow(NoHomeError);
    await expect(serve(clientOf(user))).rejects.toMatchObject({ reason: "name" });
    await expect(serve.usage(user)).rejects.toThrow(NoHomeError);
    expect(await readdir(root)).toEqual([]);
  });

  it("are folders: no link, no file, and none that is not there", async () => {
    const root = await newRoot();
    await mkdir(join(root, "ann"));
    await symlink("ann", join(root, "link"));
    await writeFile(join(root, "file"), "");
    const serve = homes({ root });
    await expect(serve(clientOf("link"))).rejects.toThrow(`${join(root, "link")} is not a folder`);
    await expect(serve(clientOf("file"))).rejects.toThrow(`${join(root, "file")} is not a folder`);
    await expect(homes({ root, create: false })(clientOf("ben"))).rejects.toThrow("ben is not there");
    await expect(homes({ root, create: false })(clientOf("ben"))).rejects.toMatchObject({ reason: "folder" });
    const nowhere = homes({ root: join(root, "none") });
    await expect(nowhere(clientOf("ann"))).rejects.toThrow(`the folder ${join(root, "none")} is not there: make it`);
  });

  it("that were removed are made anew", async () => {
    const root = await newRoot();
    const serve = homes({ root });
    const client = clientOf("ann");
    await new Drive((await serve(client)).fileSystem).write("/file", "1");
    await rm(join(root, "ann"), { recursive: true });
    const again = new Drive((await serve(clientOf("ann"))).fileSystem);
    await again.write("/file", "2");
    expect(await readFile(join(root, "ann", "file"), "utf8")).toBe("2");
  });

  describe("with a quota", () => {
    it("count for all sessions of a user together, and for nobody else", async () => {
      const serve = homes({ root: await newRoot(), quota: 10 });
      const [one, two] = [await driveOf(serve, "ann"), await driveOf(serve, "ann")];
      await one.write("/a", "123456");
      await expectFailure("EDQUOT", () => two.write("/b", "12345"));
      await (await driveOf(serve, "ben")).write("/b", "1234567890");
      expect(await serve.usage("ann")).toEqual({ used: 6, limit: 10, left: 4 });
      expect(await serve.usage("ben")).toEqual({ used: 10, limit: 10, left: 0 });
      expect(await serve.usage("cid")).toEqual({ used: 0, limit: 10, left: 10 });
      expect(await homes({ root: await newRoot() }).usage("ann")).toBeUndefined();
    });

    it("of each user's own, with a warning", async () => {
      const warned: string[] = [];
      const limits: Record<string, HomeQuota> = { ann: 5, cid: false };
      const serve = homes({
        root: await newRoot(),
        quota: (user) =>
          limits[user] ?? {
            bytes: 10,
            warnAt: 0.5,
            onWarning: ({ used }) => void warned.push(`${user}: ${used}`),
          },
      });
      await expectFailure("EDQUOT", async () => (await driveOf(serve, "ann")).write("/a", "123456"));
      await (await driveOf(serve, "cid")).write("/a", "x".repeat(100));
      await (await driveOf(serve, "ben")).write("/a", "123456");
      expect(warned).toEqual(["ben: 6"]);
    });

    it("that are the same for all, with a warning that tells whose is nearly used up", async () => {
      const warned: unknown[] = [];
      const limit: HomeQuota = { bytes: 10, warnAt: 0.5, onWarning: (usage) => void warned.push(usage) };
      const serve = homes({ root: await newRoot(), quota: limit });
      for (const user of ["ann", "ben"]) await (await driveOf(serve, user)).write("/a", "123456");
      expect(warned).toEqual(["ann", "ben"].map((user) => ({ user, used: 6, limit: 10, left: 4 })));
    });

    it("that is not known let nobody in", async () => {
      const serve = homes({ root: await newRoot(), quota: () => undefined as never });
      await expect(serve(clientOf("ann"))).rejects.toThrow(ConfigurationError);
      const failing = homes({ root: await newRoot(), quota: () => Promise.reject(new Error("no database")) });
      await expect(failing(clientOf("ann"))).rejects.toThrow("no database");
      await expect(failing(clientOf("ann"))).rejects.toThrow("no database");
    });

    it("are counted anew when the user was long away, and not before", async () => {
      const root = await newRoot();
      const serve = homes({ root, quota: 1000 });
      const client = clientOf("ann");
      await new Drive((await serve(client)).fileSystem).write("/a", "123");
      await writeFile(join(root, "ann", "other"), "by another program");
      client.leave();
      expect(await serve.usage("ann")).toMatchObject({ used: 3 });
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 11 * 60 * 1000 });
      onTestFinished(() => void vi.useRealTimers());
      expect(await serve.usage("ann")).toMatchObject({ used: 21 });
      const staying = clientOf("ann");
      await serve(staying);
      await writeFile(join(root, "ann", "more"), "1");
      vi.setSystemTime(Date.now() + 60 * 60 * 1000);
      expect(await serve.usage("ann")).toMatchObject({ used: 21 });
    });
  });

  describe("with shared folders", () => {
    it("have those of a path to be read, and file systems as they are", async () => {
      const docs = await newRoot();
      await writeFile(join(docs, "guide"), "read me");
      const team = MemoryFileSystem.from({ "/plan": "1" });
      const serve = homes({ root: await newRoot(), quota: 10, shared: { "/docs": docs, "/in/team": team } });
      const [ann, ben] = [await driveOf(serve, "ann"), await driveOf(serve, "ben")];
      expect((await ann.read("/docs/guide")).toString()).toBe("read me");
      await expectFailure("EROFS", () => ann.write("/docs/new", "x"));
      await ann.write("/in/team/large", "more than the quota");
      expect((await ben.read("/in/team/large")).toString()).toBe("more than the quota");
      await ann.write("/own", "own");
      await expectFailure("ENOENT", () => ben.read("/own"));
      await expectFailure("EBUSY", () => ann.rename("/docs", "/mine"));
      expect(await serve.usage("ann")).toMatchObject({ used: 3 });
    });

    it("of each user's own", async () => {
      const teams: Record<string, FileSystem> = { ann: MemoryFileSystem.from({ "/plan": "red" }) };
      const shared = (user: string): Record<string, FileSystem> => {
        const team = teams[user];
        return team === undefined ? {} : { "/team": team };
      };
      const serve = homes({ root: await newRoot(), shared });
      expect((await (await driveOf(serve, "ann")).read("/team/plan")).toString()).toBe("red");
      await expectFailure("ENOENT", async () => (await driveOf(serve, "ben")).read("/team/plan"));
    });
  });

  it("have no folder in the place of a shared one that is not there", async () => {
    const docs = join(await newRoot(), "docs");
    const missing = `shared /docs: the folder ${docs} is not there: make it`;
    for (const shared of [{ "/docs": docs }, () => ({ "/docs": docs })]) {
      const serve = homes({ root: await newRoot(), shared });
      await expect(serve(clientOf("ann"))).rejects.toThrow(new NoHomeError(missing));
    }
    const deep = { "/team": readOnly(new LocalFileSystem(join(docs, "deeper"))) };
    await expect(homes({ root: await newRoot(), shared: deep })(clientOf("ann"))).rejects.toThrow(
      `shared /team: the folder ${docs} is not there: make it`,
    );
    const serve = homes({ root: await newRoot(), shared: { "/docs": docs } });
    await expect(serve(clientOf("ann"))).rejects.toThrow(NoHomeError);
    await mkdir(docs);
    await serve(clientOf("ann"));
  });

  it("have whole uploads, each user's own", async () => {
    const root = await newRoot();
    const team = new LocalFileSystem(await newRoot());
    const serve = homes({ root, atomicUploads: true, quota: 100, shared: { "/team": team } });
    const [ann, ben] = [await driveOf(serve, "ann"), await driveOf(serve, "ben")];
    const file = await ann.open("/team/file", "write create truncate");
    await file.write("half", 0);
    await expectFailure("ENOENT", () => ben.read("/team/file"));
    expect((await ann.read("/team/file")).toString()).toBe("half");
    await file.close();
    expect((await ben.read("/team/file")).toString()).toBe("half");
    await ann.write("/mine", "1234");
    expect(await serve.usage("ann")).toMatchObject({ used: 4 });
  });

  it("pass on which users may do what, and what is heard of transfers", async () => {
    const access = {
      checkFileAccess: () => true,
      checkDirectoryAccess: () => true,
      getFilePermissions: () => 0o600,
      getDirectoryPermissions: () => undefined,
    };
    const onUpload = () => {};
    const serve = homes({ root: await newRoot(), access, onUpload, startDirectory: "/in" });
    expect(await serve(clientOf("ann"))).toEqual({
      access,
      onUpload,
      startDirectory: "/in",
      fileSystem: expect.any(LocalFileSystem),
    });
  });

  it.each<[option: string, options: object]>([
    ["shared", { shared: { "/": "/srv/docs" } }],
    ["shared", { shared: { docs: "/srv/docs" } }],
    ["shared", { shared: { "/docs": 5 } }],
    ["shared", { shared: { "/team": atomicUploads(new MemoryFileSystem()) } }],
    ["quota", { quota: -1 }],
    ["quota", { quota: "10G" }],
    ["quota", { quota: true }],
    ["quota.used", { quota: { bytes: 1, used: 1 } }],
  ])("refuse a wrong %s: %j", (option, options) => {
    expect(() => homes({ root: parent, ...options })).toThrow(expect.objectContaining({ option }));
  });
});

describe("what is left of uploads in homes", () => {
  const aborted: FileOutcome = { result: "aborted", reason: "client gone" };
  const open = "write create truncate";

  /** Leaves an upload of so many bytes that has broken off, since when a month has passed. */
  async function leave(drive: Drive, folder: string, name: string, bytes: number): Promise<void> {
    const { handle } = await drive.open(`/${name}`, open);
    await handle.write?.(Buffer.alloc(bytes), 0);
    await handle.close?.(aborted);
    await age(folder, name);
  }

  async function age(folder: string, name: string): Promise<void> {
    const staged = (await readdir(folder)).find((entry) => entry.startsWith(".spindlex-") && entry.endsWith(name));
    const monthAgo = Date.now() / 1000 - 30 * 24 * 60 * 60;
    await utimes(join(folder, staged ?? expect.fail(`${name} is not staged`)), monthAgo, monthAgo);
  }

  it("is removed everywhere, and the quotas that are in use know at once", async () => {
    const root = await newRoot();
    await mkdir(join(root, ".not-a-home"));
    const earlier = homes({ root, atomicUploads: true });
    for (const user of ["ann", "ben"]) await leave(await driveOf(earlier, user), join(root, user), "old", 10);
    const serve = homes({ root, quota: 100, atomicUploads: true, shared: { "/shared": new MemoryFileSystem() } });
    const ann = await driveOf(serve, "ann");
    await ann.write("/file", "12345");
    expect(await serve.usage("ann")).toMatchObject({ used: 15 });
    expect(await serve.sweepUploads()).toBe(2);
    expect(await serve.usage("ann")).toMatchObject({ used: 5 });
    expect(await serve.usage("ben")).toMatchObject({ used: 0 });
    for (const user of ["ann", "ben"]) expect(await readdir(join(root, user))).toEqual(user === "ann" ? ["file"] : []);
    expect(await serve.sweepUploads()).toBe(0);
  });

  it("stays where it is under way, whatever its time says", async () => {
    const root = await newRoot();
    const serve = homes({ root, atomicUploads: true });
    const ann = await driveOf(serve, "ann");
    const file = await ann.open("/new", open);
    await file.write("data", 0);
    await age(join(root, "ann"), "new");
    expect(await serve.sweepUploads({ keepSeconds: 0 })).toBe(0);
    await file.close();
    expect(await readFile(join(root, "ann", "new"), "utf8")).toBe("data");
  });

  it("is found in very many homes with few descriptors", async () => {
    const root = await newRoot();
    for (let index = 0; index < 300; index++) await mkdir(join(root, `user${index}`));
    const serve = homes({ root, atomicUploads: true });
    const before = openDescriptors().length;
    expect(await serve.sweepUploads()).toBe(0);
    expect(openDescriptors().length - before).toBeLessThan(50);
  });

  it("does not keep others from being swept where one home fails, and knows options", async () => {
    const root = await newRoot();
    const fails = new Set<string>();
    const serve = homes({ root, atomicUploads: true, quota: 100 });
    for (const user of ["ann", "ben", "cid"]) await leave(await driveOf(serve, user), join(root, user), "old", 10);
    const spy = vi.spyOn(LocalFileSystem.prototype, "remove").mockImplementationOnce(async () => {
      fails.add("once");
      throw new FileError("EIO");
    });
    onTestFinished(() => spy.mockRestore());
    await expect(serve.sweepUploads()).rejects.toMatchObject({ code: "EIO" });
    expect(fails.size).toBe(1);
    spy.mockRestore();
    expect(await serve.sweepUploads()).toBe(1);
    await expect(serve.sweepUploads({ keepSeconds: -1 })).rejects.toThrow(ConfigurationError);
    await expect(serve.sweepUploads({ signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
