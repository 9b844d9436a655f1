import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FileError } from "../../../src/files/errors.js";
import type { FileOutcome } from "../../../src/files/file-outcome.js";
import type { AttributeChanges, FileHandle, FileSystem, OpenOptions } from "../../../src/files/file-system.js";
import { LocalFileSystem } from "../../../src/files/local/local-file-system.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { FOR_READING, FOR_WRITING } from "../../../src/files/open-options.js";
import { atomicUploads } from "../../../src/files/wrappers/atomic-uploads.js";
import { quota } from "../../../src/files/wrappers/quota.js";
import { sweepUploads } from "../../../src/files/wrappers/sweep-uploads.js";
import { extent } from "../../support/extent.js";
import { temporaryFolder } from "../../support/tools.js";
import { Drive, expectFailure, type OpenFile } from "../conformance/drive.js";

// `scp` in its SFTP mode opens a file with write and create, and sets the size when all is written.

const SCP = "write create";
const GONE: FileOutcome = { result: "aborted", reason: "client gone" };
const folder = temporaryFolder();

/** Files that are read and written slowly, and of which every call is known. */
class Watched implements FileSystem {
  readonly calls: string[] = [];
  readonly memory: MemoryFileSystem;
  readonly lstat;
  readonly remove;
  readonly rename;
  readonly posixRename;
  readonly readdir;
  failing: "read" | "write" | undefined;
  heard: (call: string) => void = () => {};
  opened = 0;

  constructor(files: Record<string, string | Buffer>) {
    this.memory = MemoryFileSystem.from(files);
    this.lstat = this.memory.lstat.bind(this.memory);
    this.remove = this.memory.remove.bind(this.memory);
    this.rename = this.memory.rename.bind(this.memory);
    this.posixRename = this.memory.posixRename.bind(this.memory);
    this.readdir = this.memory.readdir.bind(this.memory);
  }

  async open(path: string, options: OpenOptions): Promise<FileHandle> {
    const inner = this.memory.open(path, options);
    this.opened++;
    const call = async <T>(name: "read" | "write", run: () => T): Promise<T> => {
      await new Promise(setImmediate);
      this.calls.push(`${name} ${path.startsWith("/.spindlex-") ? "staged" : path}`);
      this.heard(`${name} ${path}`);
      if (this.failing === name) throw new FileError("EIO");
      return run();
    };
    return {
      identity: inner.identity,
      read: (buffer, position) => call("read", () => inner.read(buffer, position)),
      write: (data, position) => call("write", () => inner.write(data, position)),
      stat: () => inner.stat(),
      setstat: (changes) => inner.setstat(changes),
      close: () => {
        this.opened--;
        inner.close();
      },
    };
  }

  get names(): string[] {
    return [...this.memory.readdir("/")].map(({ name }) => name);
  }
}

function served(content: string | Buffer = "the old content") {
  const files = new Watched({ "/x": content });
  const session = (user: string) => new Drive(atomicUploads(files, { user }));
  return {
    files,
    ann: session("ann"),
    ben: session("ben"),
    session,
    content: () => files.memory.readFile("/x").toString(),
  };
}
const text = async (drive: Drive, path = "/x") => (await drive.read(path)).toString();

describe("a file that is there and is written anew", () => {
  it("is replaced when the client closes it, without a look at what it had", async () => {
    const { files, ann, ben, content } = served();
    const file = await ann.open("/x", SCP, 0o600);
    await file.write("the ", 0);
    await file.write("new", 4);
    expect((await file.stat()).size).toBe("the old content".length);
    expect((await ann.lstat("/x")).size).toBe("the old content".length);
    await file.setstat({ size: 7 });
    expect((await ann.lstat("/x")).size).toBe(7);
    expect(await text(ben)).toBe("the old content");
    files.calls.length = 0;
    await file.close();
    expect(content()).toBe("the new");
    expect(files.calls).toEqual([]);
    expect(files.names).toEqual(["x"]);
    expect(files.opened).toBe(0);
  });

  it.each([GONE, { result: "aborted", reason: "error", error: new FileError("EIO") }] as const)(
    "stays as it was if that breaks off, and nothing is left: $reason",
    async (outcome) => {
      const { files, ann, session, content } = served();
      const file = await ann.open("/x", SCP);
      await file.write("half", 0);
      await file.handle.close?.(outcome);
      expect(content()).toBe("the old content");
      expect(files.names).toEqual(["x"]);
      expect(files.opened).toBe(0);
      for (const drive of [ann, session("ann")]) expect(await text(drive)).toBe("the old content");
    },
  );

  it("is not taken for whole by a later session where the server was killed", async () => {
    const { files, ann } = served();
    await (await ann.open("/x", SCP)).write("half", 0);
    // As another process sees it.
    const restarted = new Drive(atomicUploads({ ...bound(files) }, { user: "ann" }));
    expect((await restarted.lstat("/x")).size).toBe("the old content".length);
    expect(await restarted.list("/")).toEqual(["x"]);
    const file = await restarted.open("/x", SCP);
    await file.write("THE", 0);
    await file.close();
    expect(await text(restarted)).toBe("THE old content");
    expect(await sweepUploads({ ...bound(files) }, { keepSeconds: 0 })).toBe(1);
    expect(files.names).toEqual(["x"]);
  });

  it("keeps what the client has not written: behind a gap, behind the end", async () => {
    const { ann, content } = served("0123456789");
    const file = await ann.open("/x", SCP);
    await Promise.all([file.write("ab", 0), file.write("c", 6), file.write("d", 3)]);
    await file.close();
    expect(content()).toBe("ab2d45c789");
    const longer = await ann.open("/x", SCP);
    await longer.write("!", 12);
    await longer.close();
    expect(content()).toBe("ab2d45c789\0\0!");
  });

  it("is copied in blocks, whatever its size", async () => {
    const old = Buffer.alloc(1_000_000, "old ");
    const { files, ann } = served(old);
    const file = await ann.open("/x", SCP);
    await file.write("new", 0);
    await file.close();
    expect(files.memory.readFile("/x").equals(Buffer.concat([Buffer.from("new"), old.subarray(3)]))).toBe(true);
    expect(files.calls.filter((call) => call === "read /x")).toHaveLength(4);
  });

  it("is copied with its holes, of which no block is written", async () => {
    for (const [old, blocks] of [
      [Buffer.concat([Buffer.alloc(600_000), Buffer.from("end")]), 1],
      [Buffer.alloc(600_000), 0],
      [Buffer.concat([Buffer.alloc(300_000, "old "), Buffer.alloc(700_000)]), 2],
    ] as const) {
      const { files, ann } = served(old);
      const file = await ann.open("/x", SCP);
      await file.write("new", 0);
      await file.close();
      expect(files.memory.readFile("/x").equals(Buffer.concat([Buffer.from("new"), old.subarray(3)]))).toBe(true);
      expect(files.calls.filter((call) => call === "write staged")).toHaveLength(1 + blocks);
    }
  });

  it("stays as it was where the session is over before all is copied", async () => {
    const { files } = served(Buffer.alloc(1_000_000, "old "));
    const gone = new AbortController();
    const whole = atomicUploads(files, { user: "ann" });
    const handle = await whole.open?.("/x", { ...FOR_WRITING, create: true, signal: gone.signal });
    await handle?.write?.(Buffer.from("new"), 0);
    files.heard = (call) => call === "read /x" && gone.abort();
    await expect(handle?.close?.({ result: "completed" })).rejects.toMatchObject({ name: "AbortError" });
    expect(files.calls.filter((call) => call === "read /x")).toHaveLength(1);
    expect(files.names).toEqual(["x"]);
    expect(files.memory.readFile("/x")).toHaveLength(1_000_000);
    expect(files.opened).toBe(0);
  });

  it.each(["read", "write"] as const)("stays as it was where it cannot be copied: %s", async (failing) => {
    const { files, ann, content } = served();
    const file = await ann.open("/x", SCP);
    await file.write("the", 0);
    files.failing = failing;
    await expectFailure("EIO", () => file.close());
    expect(content()).toBe("the old content");
    expect(files.names).toEqual(["x"]);
    expect(files.opened).toBe(0);
    files.failing = undefined;
    const again = await ann.open("/x", SCP);
    files.failing = failing;
    await expectFailure("EIO", () => again.write("!", 5));
    await expectFailure("EIO", () => again.write("!", 0));
    await expectFailure("EIO", () => again.close());
    expect(content()).toBe("the old content");
  });

  it("may be one that cannot be read, unless something of it is to stay", async () => {
    const { files, ann, content } = served();
    const open = files.open.bind(files);
    files.open = (path, options) => {
      if (path === "/x" && options.read) throw new FileError("EACCES");
      return open(path, options);
    };
    const file = await ann.open("/x", SCP);
    await file.write("new", 0);
    await file.setstat({ size: 3 });
    await file.close();
    expect(content()).toBe("new");
    const part = await ann.open("/x", SCP);
    await part.write("N", 0);
    await expectFailure("EACCES", () => part.close());
    expect(content()).toBe("new");
  });

  it("stays the same file where nothing is written, and gets the attributes", async () => {
    const { files, ann } = served();
    const { identity } = files.memory.open("/x", FOR_READING);
    const file = await ann.open("/x", SCP);
    await file.setstat({ permissions: 0o640, times: { accessTime: 5, modifyTime: 6 } });
    await file.close();
    expect(files.memory.open("/x", FOR_READING).identity).toBe(identity);
    expect(files.memory.lstat("/x")).toMatchObject({ permissions: 0o640, modifyTime: 6 });
    expect(files.calls).toEqual([]);
    expect(files.names).toEqual(["x"]);
  });

  it("has the times that the client has set, also where something is copied behind it", async () => {
    const { files, ann } = served();
    const file = await ann.open("/x", SCP);
    await file.write("new", 0);
    await file.setstat({ times: { accessTime: 5, modifyTime: 6 } });
    await file.close();
    expect(files.memory.lstat("/x").modifyTime).toBe(6);
  });

  it("counts once in a quota", async () => {
    const memory = MemoryFileSystem.from({ "/x": "0123456789", "/y": "01234" });
    const limited = quota(memory, { bytes: 26 });
    const ann = new Drive(atomicUploads(limited));
    for (const data of ["abcdefghij", "klmnopqrst"]) {
      const file = await ann.open("/x", SCP);
      await file.write(data, 0);
      await file.close();
    }
    expect(await limited.usage()).toMatchObject({ used: 15 });
    const file = await ann.open("/x", SCP);
    await expectFailure("EDQUOT", () => file.write("abcdefghijkl", 0));
    await expectFailure("EDQUOT", () => file.close());
    expect(memory.readFile("/x").toString()).toBe("klmnopqrst");
    expect(await limited.usage()).toMatchObject({ used: 15 });
  });

  it("stays in place for those who also read it, add to it, or do not make it", async () => {
    const { files, ann } = served("old");
    for (const flags of ["read write create", "write append create", "write"]) {
      const file = await ann.open("/x", flags);
      await file.write("new", 0);
      expect(files.names).toEqual(["x"]);
      expect(files.memory.readFile("/x").toString()).toMatch(/^new|new$/);
      await file.close();
    }
  });

  it("is one for several handles of a session", async () => {
    const { ann, content } = served("0123456789");
    const first = await ann.open("/x", SCP);
    await first.write("a", 0);
    const second = await ann.open("/x", SCP);
    await second.write("b", 9);
    await first.write("c", 5);
    await first.close();
    expect(content()).toBe("0123456789");
    await second.close();
    expect(content()).toBe("a1234c678b");
  });

  it("is one that another session of the user takes over, with all that it has", async () => {
    const { ann, session, content } = served("0123456789");
    const first = await ann.open("/x", SCP);
    await first.write("a", 0);
    const second = await session("ann").open("/x", SCP);
    await expect(first.write("b", 1)).rejects.toMatchObject({ code: "ESTALE" });
    await second.write("c", 2);
    await second.close();
    expect(content()).toBe("a1c3456789");
    await expect(first.close()).rejects.toMatchObject({ code: "ESTALE" });
  });

  it("can be removed, and its directory moved, meanwhile", async () => {
    const { files, ann } = served();
    const file = await ann.open("/x", SCP);
    await file.write("new", 0);
    await ann.remove("/x");
    await file.close();
    expect(files.names).toEqual([]);
    const memory = MemoryFileSystem.from({ "/d/x": "old content" });
    const drive = new Drive(atomicUploads(memory));
    const moved = await drive.open("/d/x", SCP);
    await moved.write("OLD", 0);
    await drive.rename("/d", "/e");
    expect((await drive.lstat("/e/x")).size).toBe(11);
    await moved.close();
    expect(memory.readFile("/e/x").toString()).toBe("OLD content");
    expect([...memory.readdir("/e")]).toHaveLength(1);
  });
});

describe("what is written to a file without emptying it", () => {
  /** What a client does, through one of its handles. */
  type Step = (drive: Drive, files: OpenFile[]) => Promise<unknown>;
  const place = fc.nat({ max: 24 });
  const data = fc.string({ maxLength: 8, unit: "grapheme-ascii" });
  const handle = fc.nat({ max: 2 });
  const writing = fc.tuple(place, data);
  const changes: fc.Arbitrary<AttributeChanges> = fc.oneof(
    place.map((size) => ({ size })),
    fc.constant({ permissions: 0o640 }),
    fc.nat({ max: 9 }).map((time) => ({ times: { accessTime: time, modifyTime: time } })),
    place.map((size) => ({ size, permissions: 0o600, times: { accessTime: 1, modifyTime: 2 } })),
  );
  const use = (files: OpenFile[], index: number) => files[index % Math.max(1, files.length)];
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(handle, fc.array(writing, { minLength: 1, maxLength: 4 })).map(
        ([index, writes]): Step =>
          (_, files) =>
            Promise.all(writes.map(([position, bytes]) => use(files, index)?.write(bytes, position))),
      ),
    },
    fc.tuple(handle, changes).map(
      ([index, change]): Step =>
        async (_, files) =>
          use(files, index)?.setstat(change),
    ),
    changes.map(
      (change): Step =>
        (drive) =>
          drive.setstat("/x", change),
    ),
    fc.constantFrom("write create", "read write create", "write", "write append").map(
      (flags): Step =>
        async (drive, files) =>
          void files.push(await drive.open("/x", flags)),
    ),
    fc.constant<Step>((drive) => text(drive)),
    fc.constant<Step>(async (drive) => sizeAndMode(await drive.lstat("/x"))),
    handle.map(
      (index): Step =>
        async (_, files) =>
          sizeAndMode(await use(files, index)?.stat()),
    ),
  );
  const sizeAndMode = (attributes: { size: number; permissions: number } | undefined) =>
    attributes && [attributes.size, attributes.permissions];

  async function outcomeOf(files: FileSystem, taken: readonly Step[], others?: () => Promise<unknown>) {
    const drive = new Drive(files);
    const open = [await drive.open("/x", SCP)];
    const results: unknown[] = [];
    for (const each of taken) {
      results.push(await each(drive, open));
      await others?.();
    }
    for (const file of open) await file.close();
    const { size, permissions, modifyTime } = await drive.lstat("/x");
    // The times that are given are the only ones of long ago.
    return [results.flat(), await text(drive), size, permissions, modifyTime < 100 ? modifyTime : "now"];
  }

  const TREES: Readonly<Record<string, () => FileSystem>> = {
    memory: () => new MemoryFileSystem(),
    "a disk with a quota": () => quota(new LocalFileSystem(mkdtempSync(join(folder, "tree-"))), { bytes: 2 ** 30 }),
  };

  it.each(Object.keys(TREES))("leaves the same file as without the wrapper: %s", async (name) => {
    const run = async (content: string, taken: readonly Step[]) => {
      const files = TREES[name]?.() ?? expect.fail();
      const plain = new MemoryFileSystem();
      for (const tree of [files, plain]) {
        await new Drive(tree).write("/x", content);
        await new Drive(tree).setstat("/x", { permissions: 0o644 });
      }
      const expected = await outcomeOf(plain, taken);
      const others = async () => expect(await text(new Drive(files))).toBe(content);
      expect(await outcomeOf(atomicUploads(files, { user: "ann" }), taken, others)).toEqual(expected);
      expect(await new Drive(files).list("/")).toEqual(["x"]);
      if (name !== "memory")
        expect(await (files as ReturnType<typeof quota>).usage()).toMatchObject({ used: expected[2] });
    };
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 16, unit: "grapheme-ascii" }), fc.array(step, { maxLength: 8 }), run),
      { numRuns: name === "memory" ? extent(300, 3000) : extent(60, 600) },
    );
  });
});

it("is on the disk with the mode of the old file, which others keep until then", async () => {
  const root = mkdtempSync(join(folder, "mode-"));
  writeFileSync(join(root, "x"), "old", { mode: 0o600 });
  const file = await new Drive(atomicUploads(new LocalFileSystem(root))).open("/x", SCP, 0o644);
  await file.write("newer", 0);
  expect(readFileSync(join(root, "x"), "utf8")).toBe("old");
  await file.close();
  expect(readFileSync(join(root, "x"), "utf8")).toBe("newer");
  expect(readdirSync(root)).toEqual(["x"]);
});

function bound(files: Watched): FileSystem {
  const { lstat, remove, rename, posixRename, readdir } = files;
  return { open: (path, options) => files.open(path, options), lstat, remove, rename, posixRename, readdir };
}
