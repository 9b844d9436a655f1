import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { FileError } from "../../../src/files/errors.js";
import type { FileOutcome } from "../../../src/files/file-outcome.js";
import type { FileSystem } from "../../../src/files/file-system.js";
import { LocalFileSystem } from "../../../src/files/local/local-file-system.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { type AtomicUploadsOptions, atomicUploads } from "../../../src/files/wrappers/atomic-uploads.js";
import { quota } from "../../../src/files/wrappers/quota.js";
import { sweepUploads } from "../../../src/files/wrappers/sweep-uploads.js";
import { OpenFlag, PacketType, StatusCode } from "../../../src/sftp/codec/constants.js";
import { startSession } from "../../sftp/server/session.js";
import { extent } from "../../support/extent.js";
import { attributes, readAttributes } from "../../support/sftp-packets.js";
import { Drive, expectFailure, type OpenFile } from "../conformance/drive.js";
import { describeFileSystem } from "../conformance.js";

describeFileSystem("atomicUploads", async () => ({ fileSystem: atomicUploads(new MemoryFileSystem()) }), "atomic");
const GONE: FileOutcome = { result: "aborted", reason: "client gone" };
const PUT = "write create truncate";

/** One tree, as two users see it, each in sessions of their own. */
function served(files: Record<string, string> = {}, options: AtomicUploadsOptions = {}) {
  const memory = MemoryFileSystem.from(files);
  const session = (user?: string) => new Drive(atomicUploads(memory, { ...options, user }));
  const content = (path: string) => memory.readFile(path).toString();
  const names = (path = "/") => [...memory.readdir(path)].map(({ name }) => name);
  return { memory, ann: session("ann"), ben: session("ben"), session, content, names };
}

const text = async (drive: Drive, path: string) => (await drive.read(path)).toString();
const breakOff = async ({ handle }: OpenFile, outcome = GONE) => handle.close?.(outcome);

/** An upload that has broken off. */
async function leave(drive: Drive, path: string, data: string): Promise<void> {
  const file = await drive.open(path, PUT);
  await file.write(data, 0);
  await breakOff(file);
}

describe("an upload", () => {
  it("is in its place when the client has closed it, and nowhere before", async () => {
    const { ann, ben, content, names } = served();
    const file = await ann.open("/new", PUT, 0o640);
    await file.write("data", 0);
    await expectFailure("ENOENT", () => ben.lstat("/new"));
    expect(await ben.list("/")).toEqual([]);
    await expectFailure("ENOENT", () => ben.open("/new", "read"));
    await file.close();
    expect(content("/new")).toBe("data");
    expect(names()).toEqual(["new"]);
    expect((await ben.lstat("/new")).permissions).toBe(0o640);
  });

  it("leaves the old file to others until then, and has its mode", async () => {
    const { ann, ben, memory, content } = served({ "/old": "old" });
    memory.setstat("/old", { permissions: 0o604, owner: { uid: 7, gid: 8 } });
    const file = await ann.open("/old", PUT, 0o666);
    await file.write("newer", 0);
    expect(await text(ben, "/old")).toBe("old");
    const reader = await ben.open("/old", "read");
    await file.close();
    expect((await reader.read(10, 0)).toString()).toBe("old");
    expect(content("/old")).toBe("newer");
    expect(memory.lstat("/old")).toMatchObject({ permissions: 0o604, uid: 7, gid: 8 });
  });

  it("has the mode that the client has set, by handle or by path", async () => {
    const { ann, memory } = served({ "/one": "old", "/two": "old" });
    const one = await ann.open("/one", PUT);
    await one.setstat({ permissions: 0o600 });
    await one.close();
    const two = await ann.open("/two", PUT);
    await ann.setstat("/two", { permissions: 0o611 });
    await two.close();
    expect([memory.lstat("/one").permissions, memory.lstat("/two").permissions]).toEqual([0o600, 0o611]);
  });

  it("is seen under its final name by its user, in every session", async () => {
    const { ann, session } = served({ "/old": "old" });
    const file = await ann.open("/new", PUT);
    const replacing = await ann.open("/old", PUT);
    await file.write("data", 0);
    await replacing.write("newer", 0);
    for (const drive of [ann, session("ann")]) {
      expect(await drive.lstat("/new")).toMatchObject({ size: 4, unfinished: true });
      expect(await drive.lstat("/old")).toMatchObject({ size: 5 });
      expect(await drive.list("/")).toEqual(["new", "old"]);
      expect([await text(drive, "/new"), await text(drive, "/old")]).toEqual(["data", "newer"]);
    }
    await session("ann").setstat("/new", { times: { accessTime: 5, modifyTime: 6 } });
    await file.close();
    expect((await ann.lstat("/new")).modifyTime).toBe(6);
  });

  it("that is broken off changes nothing, and can be gone on with in a later session", async () => {
    const { ann, ben, session, content, names } = served({ "/old": "old" });
    await leave(ann, "/old", "new");
    expect(content("/old")).toBe("old");
    expect(await text(ben, "/old")).toBe("old");
    const later = session("ann");
    expect((await later.lstat("/old")).size).toBe(3);
    const file = await later.open("/old", "write create append");
    await file.write("er", 0);
    expect(content("/old")).toBe("old");
    await file.close();
    expect(content("/old")).toBe("newer");
    expect(names()).toEqual(["old"]);
  });

  it("is gone on with by nobody else", async () => {
    const { ann, ben, content } = served();
    await leave(ann, "/new", "ann's");
    const file = await ben.open("/new", "write create");
    await file.write("ben", 0);
    await file.close();
    expect(content("/new")).toBe("ben");
    expect(await text(ben, "/new")).toBe("ben");
  });

  it("that has broken off is replaced by one that begins anew, and vanishes with one that is whole", async () => {
    const { ann, content, names } = served();
    await leave(ann, "/new", "a long beginning");
    await ann.write("/new", "short");
    expect(content("/new")).toBe("short");
    expect(names()).toEqual(["new"]);
    expect(await text(ann, "/new")).toBe("short");
  });

  it("leaves nothing if nothing came, and what came if it has failed", async () => {
    const { ann, names } = served();
    await breakOff(await ann.open("/empty", PUT));
    expect(names()).toEqual([]);
    const file = await ann.open("/full", PUT);
    await file.write("a part", 0);
    await breakOff(file, { result: "aborted", reason: "error", error: new FileError("EIO") });
    expect(await ann.list("/")).toEqual(["full"]);
    expect((await ann.lstat("/full")).unfinished).toBe(true);
  });

  it.each(["ENOSPC", "EDQUOT"] as const)("leaves nothing where there was no room for it: %s", async (code) => {
    const { ann, names } = served();
    const file = await ann.open("/full", PUT);
    await file.write("a part", 0);
    await breakOff(file, { result: "aborted", reason: "error", error: new FileError(code) });
    expect(names()).toEqual([]);
    expect(await ann.list("/")).toEqual([]);
  });

  it("is written in place if the file is neither made nor emptied", async () => {
    const { ann, content } = served({ "/log": "one\n" });
    const file = await ann.open("/log", "write append create");
    await file.write("two\n", 0);
    expect(content("/log")).toBe("one\ntwo\n");
    await breakOff(file);
    expect(content("/log")).toBe("one\ntwo\n");
    expect((await ann.lstat("/log")).unfinished).toBeUndefined();
  });

  it("that is opened with exclusive replaces nothing that has come meanwhile", async () => {
    const { ann, ben, content, names } = served();
    const file = await ann.open("/new", `${PUT} exclusive`);
    await file.write("ann's", 0);
    await expectFailure("EEXIST", () => ann.open("/new", `${PUT} exclusive`));
    await ben.write("/new", "ben's");
    await expectFailure("EEXIST", () => file.close());
    expect(content("/new")).toBe("ben's");
    expect(names()).toEqual(["new"]);
  });

  it("that has broken off does not stand in the way of exclusive", async () => {
    const { ann, content } = served();
    await leave(ann, "/new", "a long beginning");
    const file = await ann.open("/new", "write create exclusive");
    await file.write("new", 0);
    await file.close();
    expect(content("/new")).toBe("new");
    await leave(ann, "/two", "one");
    const more = await ann.open("/two", "write create exclusive append");
    await more.write("two", 0);
    await more.close();
    expect(content("/two")).toBe("onetwo");
  });
});

describe("two uploads to one name", () => {
  it("are whole, and the last that is closed counts", async () => {
    const { ann, ben, session, content, names } = served();
    const uploads = [await ann.open("/x", PUT), await ann.open("/x", PUT), await session("ann").open("/x", PUT)];
    uploads.push(await ben.open("/x", PUT));
    for (const [index, file] of uploads.entries()) await file.write(`${index}`.repeat(5 - index), 0);
    for (const index of [2, 0, 3, 1]) {
      await uploads[index]?.close();
      expect(content("/x")).toBe(`${index}`.repeat(5 - index));
    }
    expect(names()).toEqual(["x"]);
  });

  it("leave the latest to go on with if both break off, and none if one was whole", async () => {
    const { ann, content, names } = served();
    const first = await ann.open("/x", PUT);
    const second = await ann.open("/x", PUT);
    await first.write("first", 0);
    await second.write("second", 0);
    await breakOff(first);
    await breakOff(second);
    expect(await text(ann, "/x")).toBe("second");
    expect(names()).toHaveLength(1);
    const [one, other] = [await ann.open("/y", PUT), await ann.open("/y", PUT)];
    await one.write("one", 0);
    await other.write("other", 0);
    await other.close();
    expect(await text(ann, "/y")).toBe("other");
    await breakOff(one);
    expect(content("/y")).toBe("other");
    expect(await text(ann, "/y")).toBe("other");
    expect(names()).toHaveLength(2);
  });

  it("are one through several handles of a session, in place when the last is closed", async () => {
    const { ann, content, names } = served();
    const first = await ann.open("/x", PUT);
    const second = await ann.open("/x", "write");
    await first.write("one", 0);
    await second.write("two", 3);
    await first.close();
    expect(names()).not.toContain("x");
    await second.close();
    expect(content("/x")).toBe("onetwo");
  });

  it("are one that is gone on with, where sessions cannot be told apart: the lost one does not break it", async () => {
    const { ann, content } = served();
    const lost = await ann.open("/x", PUT);
    await lost.write("begun ", 0);
    const later = await ann.open("/x", "write append create");
    await later.write("and ended", 0);
    await later.close();
    await breakOff(lost);
    expect(content("/x")).toBe("begun and ended");
  });

  it("are broken off by what has failed in any handle, and by the last one that is lost", async () => {
    const { ann, names } = served();
    for (const outcome of [GONE, { ...GONE, reason: "error" }] as const) {
      const handles = [await ann.open("/x", PUT), await ann.open("/x", "write")];
      await handles[0]?.write("data", 0);
      if (outcome.reason === "error") handles.reverse();
      await handles[0]?.close();
      for (const file of handles.slice(1)) await breakOff(file, outcome);
      expect(names()).not.toContain("x");
    }
  });

  it("are one that another session takes over: the first can write no more", async () => {
    const { ann, session, content } = served();
    const lost = await ann.open("/x", PUT);
    await lost.write("begun ", 0);
    const taken = await session("ann").open("/x", "write append create");
    await expect(lost.write("no", 0)).rejects.toThrow("taken this upload over");
    await taken.write("and ended", 0);
    await taken.close();
    await breakOff(lost);
    expect(content("/x")).toBe("begun and ended");
    expect(await text(ann, "/x")).toBe("begun and ended");
  });

  it("do not touch each other where the file system is two objects for one folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "spindlex-atomic-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const process = () => new Drive(atomicUploads(new LocalFileSystem(folder), { user: "ann" }));
    const [one, other] = [await process().open("/x", PUT), await process().open("/x", PUT)];
    await one.write("one", 0);
    await other.write("the other", 0);
    await expect(one.close()).rejects.toMatchObject({ code: "ESTALE" });
    expect(readdirSync(folder)).not.toContain("x");
    await other.close();
    expect(readFileSync(join(folder, "x"), "utf8")).toBe("the other");
    expect(readdirSync(folder)).toEqual(["x"]);
  });
});

describe("names", () => {
  it("of staged files are hidden, and cannot be used", async () => {
    const { ann, ben, names } = served({ "/file": "" });
    await leave(ann, "/new", "data");
    const staged = `/${names().find((name) => name.startsWith(".spindlex-"))}`;
    for (const drive of [ann, ben]) {
      await expectFailure("ENOENT", () => drive.lstat(staged));
      await expectFailure("ENOENT", () => drive.open(staged, "read"));
      await expectFailure("ENOENT", () => drive.open(staged, "write"));
      await expectFailure("EACCES", () => drive.open(staged, PUT));
      await expectFailure("ENOENT", () => drive.setstat(staged, { size: 0 }));
      await expectFailure("ENOENT", () => drive.remove(staged));
      await expectFailure("ENOENT", () => drive.readlink(staged));
      await expectFailure("ENOENT", () => drive.rmdir(staged));
      await expectFailure("ENOENT", () => drive.statvfs(staged));
      await expectFailure("ENOENT", () => drive.rename(staged, "/mine"));
      await expectFailure("ENOENT", () => drive.posixRename(staged, "/mine"));
      await expectFailure("ENOENT", () => drive.hardlink(staged, "/mine"));
      await expectFailure("EACCES", () => drive.rename("/file", staged));
      await expectFailure("EACCES", () => drive.posixRename("/file", staged));
      await expectFailure("EACCES", () => drive.hardlink("/file", staged));
      await expectFailure("EACCES", () => drive.symlink("x", staged));
      await expectFailure("EACCES", () => drive.mkdir(staged));
    }
    expect(await ben.list("/")).toEqual(["file"]);
    expect(await text(ann, "/new")).toBe("data");
  });

  it.each(["a b\n", "~", "+", "-", "\udcff\udc80", "ä".repeat(50), "ä".repeat(51), "x".repeat(255), ".spindlex-"])(
    "may be %j",
    async (name) => {
      const { ann, session, content } = served();
      await leave(ann, `/${name}`, "begun");
      const file = await session("ann").open(`/${name}`, "write append");
      await file.write(" and ended", 0);
      await file.close();
      expect(content(`/${name}`)).toBe("begun and ended");
    },
  );

  it("of unfinished uploads stay as they are", async () => {
    const { ann, ben, content } = served({ "/other": "other", "/d/file": "" });
    const file = await ann.open("/x", PUT);
    await file.write("data", 0);
    const refused = "The upload is not complete";
    await expect(ann.rename("/x", "/y")).rejects.toThrow(refused);
    await expect(ann.posixRename("/x", "/y")).rejects.toThrow(refused);
    await expect(ann.hardlink("/x", "/y")).rejects.toThrow(refused);
    await ann.posixRename("/x", "/x");
    await expectFailure("EEXIST", () => ann.rename("/other", "/x"));
    await expectFailure("EEXIST", () => ann.hardlink("/other", "/x"));
    await expectFailure("EEXIST", () => ann.mkdir("/x"));
    await expectFailure("EEXIST", () => ann.symlink("other", "/x"));
    await ben.rename("/other", "/x");
    expect(await text(ann, "/x")).toBe("data");
    await file.close();
    expect(content("/x")).toBe("data");
  });

  it("are given to another file by rename, also where an upload is under way or was left", async () => {
    const { ann, content, names } = served({ "/one": "one", "/two": "two" });
    const file = await ann.open("/x", PUT);
    await file.write("data", 0);
    await ann.posixRename("/one", "/x");
    expect(await text(ann, "/x")).toBe("one");
    await file.close();
    expect(content("/x")).toBe("data");
    await leave(ann, "/x", "more");
    await ann.posixRename("/two", "/x");
    expect(await text(ann, "/x")).toBe("two");
    expect(names()).toEqual(["x"]);
  });

  it("are free again when the user removes an upload, under way or left", async () => {
    const { ann, names } = served({ "/old": "old" });
    await leave(ann, "/left", "data");
    await ann.remove("/left");
    const file = await ann.open("/old", PUT);
    await file.write("data", 0);
    await ann.remove("/old");
    await expectFailure("ENOENT", () => ann.lstat("/old"));
    await file.close();
    expect(names()).toEqual([]);
  });

  it("of a file that somebody renames meanwhile stay with those who upload to them", async () => {
    for (const rename of ["rename", "posixRename"] as const) {
      for (const outcome of [undefined, GONE]) {
        const { ann, ben, session, content, names } = served({ "/x": "old" });
        const file = await ann.open("/x", PUT);
        await file.write("newer", 0);
        await ben[rename]("/x", "/y");
        expect((await ann.lstat("/x")).size).toBe(5);
        if (outcome === undefined) await file.close();
        else await breakOff(file, outcome);
        expect(await session("ann").read("/x")).toEqual(Buffer.from("newer"));
        expect(content("/y")).toBe("old");
        expect(names().filter((name) => !name.startsWith(".spindlex-"))).toEqual(outcome ? ["y"] : ["y", "x"]);
      }
    }
  });

  it("of directories may change while files are uploaded into them", async () => {
    const { ann, content, names } = served({ "/d/old": "old" });
    const file = await ann.open("/d/old", PUT);
    await file.write("newer", 0);
    await ann.rename("/d", "/e");
    await file.close();
    expect(content("/e/old")).toBe("newer");
    expect(names("/e")).toEqual(["old"]);
  });
});

describe("moving into place", () => {
  it("fails where a directory has come to the path, or the folder is gone, and the client is told", async () => {
    const { ann, ben, memory, names } = served();
    const file = await ann.open("/x", PUT);
    await file.write("data", 0);
    await ben.mkdir("/x");
    await expectFailure("EISDIR", () => file.close());
    expect((await ann.lstat("/x")).type).toBe("directory");
    memory.mkdir("/d", 0o777);
    const lost = await ann.open("/d/x", PUT);
    for (const name of names("/d")) memory.remove(`/d/${name}`);
    memory.rmdir("/d");
    await expectFailure("ENOENT", () => lost.close());
  });

  it("fails where something cannot be done about it, and what came is left", async () => {
    for (const broken of ["posixRename", "lstat"] as const) {
      const memory = MemoryFileSystem.from({ "/x": "old" });
      let isBroken = false;
      const files: FileSystem = Object.create(memory, {
        [broken]: {
          value: (...parameters: Parameters<MemoryFileSystem["posixRename"]>) => {
            if (isBroken && (broken === "posixRename" || parameters[0] === "/x")) throw new FileError("EACCES");
            return memory[broken](...parameters);
          },
        },
      });
      const ann = new Drive(atomicUploads(bound(files, memory), { user: "ann" }));
      const file = await ann.open("/x", PUT);
      await file.write("newer", 0);
      isBroken = true;
      await expectFailure("EACCES", () => file.close());
      isBroken = false;
      expect(memory.readFile("/x").toString()).toBe("old");
      expect(await text(ann, "/x")).toBe("newer");
    }
  });

  it("waits for the disk only if it is told to", async () => {
    let synced = 0;
    const memory = new MemoryFileSystem();
    const open: MemoryFileSystem["open"] = (path, options) =>
      Object.assign(memory.open(path, options), { fsync: () => void synced++ });
    const files = bound({ open }, memory);
    await new Drive(atomicUploads(files)).write("/x", "data");
    expect(synced).toBe(0);
    await new Drive(atomicUploads(files, { fsync: true })).write("/x", "data");
    expect(synced).toBe(1);
  });

  it("counts once in a quota around what it stands on", async () => {
    const memory = MemoryFileSystem.from({ "/x": "0123456789" });
    const ann = new Drive(atomicUploads(quota(memory, { bytes: 25 })));
    await ann.write("/x", "abcdefghij");
    await ann.write("/x", "klmnopqrst");
    const file = await ann.open("/y", PUT);
    await expectFailure("EDQUOT", () => file.write("0123456789abcdef", 0));
    await file.write("0123456789abcde", 0);
    await file.close();
    expect(() => quota(atomicUploads(memory), { bytes: 1 })).toThrow("atomicUploads(quota(files, …))");
  });
});

describe("uploads of two users in three sessions, in any order", () => {
  interface State {
    readonly sessions: readonly Drive[];
    readonly files: { readonly file: OpenFile; readonly path: string }[];
    /** What others see. */
    seen(): Record<string, string>;
  }
  type Step = (state: State) => Promise<unknown>;

  const path = fc.constantFrom("/a", "/b");
  const session = fc.nat(2).map(
    (number) =>
      ({ sessions }: State) =>
        sessions[number] as Drive,
  );
  const place = fc.nat(5);
  const failed = (error: unknown) => {
    expect(error).toBeInstanceOf(FileError);
    return undefined;
  };
  const opening = (flags: string) => (drive: (state: State) => Drive, where: string) => async (state: State) => {
    const isThere = flags !== "read write" || (await drive(state).lstat(where).catch(failed))?.unfinished === true;
    const file = isThere ? await drive(state).open(where, flags).catch(failed) : undefined;
    if (file !== undefined) state.files.push({ file, path: where });
  };
  const make = <T extends unknown[]>(parameters: { [K in keyof T]: fc.Arbitrary<T[K]> }, how: (...all: T) => Step) =>
    fc.tuple<T>(...parameters).map((all) => how(...all));

  /** Steps of which others see nothing. */
  const quiet = fc.oneof(
    make([session, path], opening(`read ${PUT}`)),
    make([session, path], opening(`read ${PUT} exclusive`)),
    make([session, path], opening("read write")),
    make([session, path], opening("write create")),
    make([place, place, fc.string({ minLength: 1 })], (index, position, data) => async ({ files }) => {
      await files[index]?.file.write(data, position).catch(failed);
    }),
    make([session], (drive) => async (state) => {
      expect((await drive(state).list("/")).filter((name) => name.startsWith("."))).toEqual([]);
    }),
  );

  /** Steps that change at most the files that they tell, to a content that they know. */
  const loud = fc.oneof(
    // One that is lost may be the last of several, another of which was closed by the session that has gone on with it.
    make(
      [place, fc.constantFrom<FileOutcome>({ result: "completed" }, GONE)],
      (index, outcome) =>
        async ({ files, seen }) => {
          const [closed] = files.splice(index, 1);
          if (closed === undefined) return {};
          // What can only be written is known when it is there.
          const content = (await closed.file.read(100, 0).catch(failed))?.toString();
          await Promise.resolve(closed.file.handle.close?.(outcome)).catch(failed);
          const name = closed.path.slice(1);
          return { [name]: content ?? seen()[name] };
        },
    ),
    make([session, path], (drive, where) => async (state) => {
      await drive(state).remove(where).catch(failed);
      return { [where.slice(1)]: undefined };
    }),
  );

  it("change what others see only when one ends, to what it has then", async () => {
    const steps = fc.array(fc.oneof(quiet, { arbitrary: loud, weight: 1 }), { size: "max", maxLength: 60 });
    const run = async (taken: readonly Step[]) => {
      const { ann, ben, session: open, memory, names, content } = served({ "/a": "old" });
      const seen = (): Record<string, string> =>
        Object.fromEntries(names().flatMap((name) => (name.startsWith(".") ? [] : [[name, content(`/${name}`)]])));
      const state: State = { sessions: [ann, open("ann"), ben], files: [], seen };
      for (const step of taken) {
        const before = seen();
        const changed = ((await step(state)) ?? {}) as Record<string, string | undefined>;
        const after = seen();
        for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
          expect(name in changed ? [before[name], changed[name]] : [before[name]]).toContain(after[name]);
        }
      }
      for (const { file } of state.files) await Promise.resolve(breakOff(file)).catch(failed);
      await sweepUploads(memory, { keepSeconds: 0 });
      expect(names().filter((name) => name.startsWith("."))).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(steps, run), { numRuns: extent(60, 3000) });
  });
});

describe("a server that is killed in any step", () => {
  /** A file system that does nothing more behind so many calls, as if the process was gone: nobody hears of the next one. */
  class Dying {
    readonly files: FileSystem;
    readonly died: Promise<void>;
    #die: () => void = () => {};
    callsLeft = Number.POSITIVE_INFINITY;

    constructor(memory: MemoryFileSystem) {
      this.died = new Promise((resolve) => {
        this.#die = resolve;
      });
      const open: FileSystem["open"] = async (...parameters) => this.#mortal(memory.open(...parameters));
      this.files = this.#mortal(bound({ open }, memory));
    }

    #mortal<T extends object>(target: T): T {
      return new Proxy(target, {
        get: (object, name) => {
          const method: unknown = Reflect.get(object, name);
          if (typeof method !== "function") return method;
          return (...parameters: unknown[]) => {
            if (this.callsLeft-- > 0) return Reflect.apply(method, object, parameters);
            this.#die();
            return new Promise(() => {});
          };
        },
      });
    }
  }

  it.each(["write create truncate", "write create exclusive", "write create append", "write create"])(
    "leaves the old file or the new: %s",
    async (flags) => {
      const isNew = flags.includes("exclusive");
      const isResumed = flags !== "write create";
      for (let calls = 0; ; calls++) {
        const memory = MemoryFileSystem.from(isNew ? {} : { "/x": "old" });
        if (flags.includes("append")) await leave(new Drive(atomicUploads(memory)), "/x", "new");
        const dying = new Dying(memory);
        const file = await new Drive(atomicUploads(dying.files, { fsync: true })).open("/x", flags);
        await file.write(flags.includes("append") ? "er" : "newer", 0);
        dying.callsLeft = calls;
        const isAlive = await Promise.race([file.close().then(() => true), dying.died.then(() => false)]);
        const restarted = new Drive(atomicUploads(memory));
        const content = names(memory).includes("x") ? memory.readFile("/x").toString() : undefined;
        expect([isNew ? undefined : "old", "newer"]).toContain(content);
        expect(await text(restarted, "/x")).toBe(isResumed ? "newer" : content);
        if (!isAlive) continue;
        expect(content).toBe("newer");
        expect(names(memory)).toEqual(["x"]);
        expect(calls).toBeGreaterThan(4);
        return;
      }
    },
  );

  const names = (memory: MemoryFileSystem) => [...memory.readdir("/")].map(({ name }) => name);
});

describe("what is left of uploads", () => {
  const OLD = { times: { accessTime: 1, modifyTime: 1 } };
  const age = ({ memory, names }: ReturnType<typeof served>) => {
    for (const name of names()) if (name.startsWith(".spindlex-")) memory.setstat(`/${name}`, OLD);
  };

  it("is kept for the stated time, and is gone behind it when it is looked for", async () => {
    const tree = served({}, { keepSeconds: 3600 });
    const { ann, memory, names } = tree;
    await leave(ann, "/x", "data");
    const staged = `/${names()[0]}`;
    const ago = Date.now() / 1000 - 3600;
    memory.setstat(staged, { times: { accessTime: ago, modifyTime: ago + 60 } });
    expect((await ann.lstat("/x")).size).toBe(4);
    memory.setstat(staged, { times: { accessTime: ago, modifyTime: ago - 60 } });
    await expectFailure("ENOENT", () => ann.lstat("/x"));
    const file = await ann.open("/x", "write create append");
    await file.write("new", 0);
    await file.close();
    expect(await text(ann, "/x")).toBe("new");
  });

  it("is not kept for ever by a time to come, which its user has given it", async () => {
    const { ann, ben, memory, names } = served({ "/d/file": "" });
    const future = { times: { accessTime: 4e9, modifyTime: 4e9 } };
    for (const path of ["/x", `/${"y".repeat(200)}`, "/d/z"]) {
      const file = await ann.open(path, PUT);
      await file.write("data", 0);
      await file.setstat(future);
      expect((await ann.lstat(path)).modifyTime).toBe(4e9);
      await breakOff(file);
    }
    expect(await ben.list("/")).toEqual(["d"]);
    expect(names()).toEqual(["d"]);
    expect(await sweepUploads(memory)).toBe(1);
    expect(names("/d")).toEqual(["file"]);
  });

  it("is not a second name of the file in its place, where the server died while it was moved there", async () => {
    for (const next of ["list", "sweep", "append", "begin"] as const) {
      const { ann, ben, memory, content, names } = served();
      await leave(ann, "/x", "whole");
      memory.hardlink(`/${names()[0]}`, "/x");
      expect((await ann.lstat("/x")).unfinished).toBeUndefined();
      if (next === "list") expect(await ann.list("/")).toEqual(["x"]);
      else if (next === "sweep") expect(await sweepUploads(memory)).toBe(1);
      else {
        const file = await ann.open("/x", next === "begin" ? PUT : "write append");
        await file.write(next === "begin" ? "new" : "!", 0);
        expect(await text(ben, "/x")).toBe(next === "begin" ? "whole" : "whole!");
        await file.close();
      }
      expect(await ben.list("/")).toEqual(["x"]);
      expect(names()).toEqual(["x"]);
      expect(content("/x")).toBe({ list: "whole", sweep: "whole", append: "whole!", begin: "new" }[next]);
    }
  });

  it("is removed when anybody lists the directory, but not what is under way", async () => {
    const tree = served();
    const { ann, ben, names } = tree;
    await leave(ann, "/x", "data");
    await leave(ann, `/${"y".repeat(200)}`, "data");
    await leave(ben, "/z", "data");
    const file = await ann.open("/under way", PUT);
    await file.write("data", 0);
    age(tree);
    expect(await ben.list("/")).toEqual([]);
    expect(names()).toHaveLength(1);
    await file.close();
    expect(names()).toEqual(["under way"]);
  });

  it("is removed by sweepUploads in the whole tree", async () => {
    const tree = served({ "/d/e/file": "" });
    const { ann, memory, names } = tree;
    await leave(ann, "/d/e/x", "data");
    await leave(ann, "/y", "data");
    age(tree);
    expect(await sweepUploads(memory)).toBe(1);
    expect(names()).toEqual(["d"]);
    expect(await sweepUploads(memory, { keepSeconds: 0 })).toBe(1);
    expect(names("/d/e")).toEqual(["file"]);
  });
});

describe("over SFTP", () => {
  const { WRITE, CREAT, TRUNC } = OpenFlag;

  it("a link is followed within the root: its file is replaced, and the link stays", async () => {
    const memory = MemoryFileSystem.from({ "/d/file": "old" });
    memory.symlink("/d/file", "/link");
    memory.symlink("d/none", "/dangling");
    const { client } = await startSession(atomicUploads(memory));
    for (const path of ["/link", "/dangling"]) {
      const handle = await client.open(path, WRITE | CREAT | TRUNC);
      await client.status(PacketType.WRITE, handle, 0n, Buffer.from("newer"));
      expect(memory.readFile("/d/file").toString()).toBe(path === "/link" ? "old" : "newer");
      expect(await client.close(handle)).toMatchObject({ code: StatusCode.OK });
    }
    expect([...memory.readdir("/d")].map(({ name }) => name).sort()).toEqual(["file", "none"]);
    expect(memory.readlink("/link")).toBe("/d/file");
  });

  it("a session that is lost leaves the old file, and the next one finds what came", async () => {
    const memory = MemoryFileSystem.from({ "/file": "old" });
    const first = await startSession(atomicUploads(memory, { user: "ann" }));
    const handle = await first.client.open("/file", WRITE | CREAT | TRUNC);
    await first.client.status(PacketType.WRITE, handle, 0n, Buffer.from("new"));
    first.client.stream.destroy();
    await first.server.closed;
    expect(memory.readFile("/file").toString()).toBe("old");
    const { client } = await startSession(atomicUploads(memory, { user: "ann" }));
    expect(readAttributes(await client.ask(PacketType.STAT, "/file")).size).toBe(3n);
    await client.status(PacketType.SETSTAT, "/file", attributes({ permissions: 0o600 }));
    const again = await client.open("/file", WRITE | CREAT);
    await client.status(PacketType.WRITE, again, 3n, Buffer.from("er"));
    expect(await client.close(again)).toMatchObject({ code: StatusCode.OK });
    expect(memory.readFile("/file").toString()).toBe("newer");
  });
});

describe("the mode of files on a disk", () => {
  it("may let nobody read them", async () => {
    const memory = new MemoryFileSystem();
    const open: FileSystem["open"] = (path, options) => {
      if (options.read) throw new FileError("EACCES");
      return memory.open(path, options);
    };
    await new Drive(atomicUploads(bound({ open }, memory))).write("/x", "data");
    expect(memory.readFile("/x").toString()).toBe("data");
  });

  it("is that of the file which is replaced from the start: nobody else of the machine may read what is private", async () => {
    const folder = mkdtempSync(join(tmpdir(), "spindlex-atomic-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "x"), "old", { mode: 0o600 });
    const drive = new Drive(atomicUploads(new LocalFileSystem(folder)));
    const file = await drive.open("/x", PUT, 0o666);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    await file.close();
    expect(statSync(join(folder, "x")).mode & 0o777).toBe(0o600);
  });
});

it("refuses options that it cannot use", () => {
  const files = new MemoryFileSystem();
  expect(() => atomicUploads(files, { keepSeconds: 0 })).toThrow("keepSeconds: must be a number from 1");
  expect(() => atomicUploads(files, { fsync: "yes" as never })).toThrow("fsync: must be true or false");
  expect(() => atomicUploads(files, { user: 1 as never })).toThrow("user: must be a text");
  expect(() => atomicUploads({ open: () => ({}) })).toThrow("fileSystem: has no method lstat");
});

/** Files with some methods replaced. */
function bound(methods: FileSystem, memory: MemoryFileSystem): FileSystem {
  const names = ["open", "lstat", "setstat", "readdir", "remove", "rename", "posixRename"] as const;
  const own = Object.fromEntries(
    names.map((name) => [name, (memory[name] as (...all: unknown[]) => unknown).bind(memory)]),
  );
  const replaced = names.filter((name) => methods[name] !== undefined && methods[name] !== memory[name]);
  return { ...own, ...Object.fromEntries(replaced.map((name) => [name, methods[name]])) };
}
