import { describe, expect, it, vi } from "vitest";
import { FileError, type FileErrorCode } from "../../src/files/errors.js";
import type { DirectoryEntry, FileAttributes, FileHandle, FileSystem } from "../../src/files/file-system.js";
import { OpenFlag, PacketType, StatusCode } from "../../src/sftp/codec/constants.js";
import { SFTPError } from "../../src/sftp/codec/sftp-error.js";
import { encodeFields, NO_ATTRIBUTES, readData, request } from "../support/sftp-packets.js";
import { AttackedSession } from "./attacked-session.js";
import { Deferred } from "./deferred.js";

const { READ, WRITE, CREAT } = OpenFlag;
const { FAILURE, OK } = StatusCode;
const { OPEN, OPENDIR, CLOSE, FSTAT, READDIR, STAT } = PacketType;

const attributes: FileAttributes = { type: "file", size: 1, permissions: 0o644, accessTime: 0, modifyTime: 0 };

/** Files whose handles are counted. `/stuck` is one whose methods never end, until `release`. */
class CountedFiles implements FileSystem {
  readonly gate = new Deferred();
  readonly opened: string[] = [];
  readonly closed: string[] = [];

  async open(path: string): Promise<FileHandle> {
    if (path === "/slow to open") await this.gate.promise;
    this.opened.push(path);
    const wait = async () => {
      if (path.startsWith("/stuck")) await this.gate.promise;
    };
    return {
      identity: path,
      read: async (buffer) => {
        await wait();
        buffer.fill(1);
        return buffer.length;
      },
      write: wait,
      stat: async () => {
        await wait();
        return attributes;
      },
      close: async () => {
        if (path === "/slow to close") await this.gate.promise;
        this.closed.push(path);
      },
    };
  }

  lstat(): FileAttributes {
    return attributes;
  }
}

describe("a file system whose writes never end", () => {
  async function setUp() {
    const files = new CountedFiles();
    const attacked = await AttackedSession.start(files);
    const { client } = attacked;
    const stuck = await client.open("/stuck", READ | WRITE);
    const other = await client.open("/other");
    for (let count = 0; count < 100; count++) {
      client.send(request(PacketType.WRITE, 1_000 + count, stuck, BigInt(count), Buffer.alloc(30_000)));
    }
    // All of them have come by then.
    await client.askExtended("limits@openssh.com");
    return { files, attacked, client, stuck, other };
  }

  it("other files are read all the same", async () => {
    const { files, attacked, client, other } = await setUp();
    for (let round = 0; round < 300; round++) {
      expect(readData(await client.ask(PacketType.READ, other, 0n, 10))).toHaveLength(10);
    }
    await attacked.expectOthersUnharmed();
    files.gate.resolve();
    await client.reply(1_099);
    await attacked.expectAlive();
  });

  it("at the end of the session the other files are closed at once, and this one when its writes are done", async () => {
    const { files, attacked, client } = await setUp();
    client.stream.destroy();
    await vi.waitFor(() => expect(files.closed).toEqual(["/other"]));
    await attacked.expectOthersUnharmed();
    files.gate.resolve();
    await attacked.expectEnd();
    expect(files.closed).toEqual(["/other", "/stuck"]);
  });

  it("a client that breaks the protocol is sent away at once", async () => {
    const { files, attacked, client } = await setUp();
    client.send(Buffer.alloc(4));
    await client.end();
    expect(files.closed).toEqual(["/other"]);
    files.gate.resolve();
    await attacked.expectEnd();
    expect(files.closed).toEqual(["/other", "/stuck"]);
  });

  it("CLOSE behind them, and the session ends: the file is closed once", async () => {
    for (const end of ["destroy", "end"] as const) {
      const { files, attacked, client, stuck } = await setUp();
      client.send(request(CLOSE, 1, stuck));
      expect(await client.close(stuck)).toEqual({ code: FAILURE, message: "Invalid handle" });
      client.stream[end]();
      await new Promise(setImmediate);
      files.gate.resolve();
      await attacked.expectEnd();
      expect([...files.closed].sort()).toEqual(["/other", "/stuck"]);
    }
  });
});

describe("the end of the session while", () => {
  it("a file is being opened: it is closed", async () => {
    const files = new CountedFiles();
    const attacked = await AttackedSession.start(files);
    attacked.client.send(request(OPEN, 1, "/slow to open", READ, NO_ATTRIBUTES));
    await attacked.client.open("/a");
    attacked.client.stream.destroy();
    await vi.waitFor(() => expect(files.closed).toEqual(["/a"]));
    files.gate.resolve();
    await attacked.expectEnd();
    expect(files.closed).toEqual(files.opened.reverse().sort());
    expect(files.opened).toHaveLength(2);
  });

  it("a file is being closed: it is closed once", async () => {
    const files = new CountedFiles();
    const attacked = await AttackedSession.start(files);
    const handle = await attacked.client.open("/slow to close");
    await attacked.client.open("/a");
    attacked.client.send(request(CLOSE, 1, handle));
    await attacked.client.askExtended("limits@openssh.com");
    attacked.client.stream.destroy();
    await vi.waitFor(() => expect(files.closed).toEqual(["/a"]));
    files.gate.resolve();
    await attacked.expectEnd();
    expect(files.closed).toEqual(["/a", "/slow to close"]);
  });

  it("READs are pending, and CLOSE behind them: they are answered, the file is closed after them", async () => {
    const files = new CountedFiles();
    const attacked = await AttackedSession.start(files);
    const { client } = attacked;
    const handle = await client.open("/stuck");
    const reads = [1, 2, 3].map(() => client.ask(PacketType.READ, handle, 0n, 5));
    const closing = client.close(handle);
    const late = client.status(PacketType.READ, handle, 0n, 5);
    expect(await late).toEqual({ code: FAILURE, message: "Invalid handle" });
    expect(files.closed).toEqual([]);
    files.gate.resolve();
    for (const reply of await Promise.all(reads)) expect(readData(reply)).toHaveLength(5);
    expect((await closing).code).toBe(OK);
    expect(files.closed).toEqual(["/stuck"]);
    await attacked.expectAlive();
  });

  it.each([
    ["READ", [0n, 0]],
    ["WRITE", [0n, ""]],
  ] as const)("a %s of no bytes is pending, and CLOSE behind it: the file is closed after it", async (name, fields) => {
    const pending = new Deferred();
    const done: string[] = [];
    const { client } = await AttackedSession.start({
      open: () => ({
        async read() {
          await pending.promise;
          done.push("READ");
          return 0;
        },
        async write() {
          await pending.promise;
          done.push("WRITE");
        },
        close: () => void done.push("CLOSE"),
      }),
    });
    const handle = await client.open("/file", READ | WRITE);
    client.send(request(PacketType[name], 100, handle, ...fields), request(CLOSE, 101, handle));
    await client.askExtended("limits@openssh.com");
    expect(done).toEqual([]);
    pending.resolve();
    await client.reply(101);
    expect(done).toEqual([name, "CLOSE"]);
  });

  it("anything else, after each of its bytes: every file is closed once", async () => {
    const stream = Buffer.concat([
      request(OPEN, 10, "/a", READ | WRITE, NO_ATTRIBUTES),
      request(OPEN, 11, "/b", READ | WRITE, NO_ATTRIBUTES),
      request(PacketType.WRITE, 12, encodeFields(1), 0n, "data"),
      request(PacketType.READ, 13, encodeFields(2), 0n, 10),
      request(CLOSE, 14, encodeFields(1)),
      request(FSTAT, 15, encodeFields(2)),
      request(OPEN, 16, "/c", READ, NO_ATTRIBUTES),
      request(CLOSE, 17, encodeFields(2)),
    ]);
    for (let length = 0; length <= stream.length; length++) {
      for (const turns of [0, 1, 3]) {
        const files = new CountedFiles();
        const attacked = await AttackedSession.start(files);
        attacked.client.send(stream.subarray(0, length));
        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
        attacked.client.stream.destroy();
        await attacked.expectEnd();
        expect([...files.closed].sort()).toEqual([...files.opened].sort());
      }
    }
  });
});

describe("handles", () => {
  it("thousands of OPENs: as many as there may be, and nothing is opened beyond", async () => {
    const files = new CountedFiles();
    const attacked = await AttackedSession.start(files, { maxOpenHandles: 100 });
    const { client } = attacked;
    for (let id = 10_000; id < 15_000; id++) client.send(request(OPEN, id, `/file ${id}`, READ, NO_ATTRIBUTES));
    await client.count(5_001);
    const given = client.replies.filter(({ type }) => type === PacketType.HANDLE);
    expect(given).toHaveLength(100);
    expect(new Set(given.map(({ body }) => body.toString("hex"))).size).toBe(100);
    expect(files.opened).toHaveLength(100);
    await attacked.expectAlive();
    client.stream.destroy();
    await attacked.expectEnd();
    expect(files.closed).toHaveLength(100);
  });

  it("that are being closed count, too", async () => {
    const files = new CountedFiles();
    const attacked = await AttackedSession.start(files, { maxOpenHandles: 10 });
    const { client } = attacked;
    const handles = [];
    for (let count = 0; count < 10; count++) handles.push(await client.open("/slow to close"));
    for (const handle of handles) client.send(request(CLOSE, 5_000, handle));
    for (let count = 0; count < 50; count++) client.send(request(OPEN, 10_000 + count, "/x", READ, NO_ATTRIBUTES));
    await client.askExtended("limits@openssh.com");
    expect(files.opened.length).toBeLessThanOrEqual(10);
    files.gate.resolve();
    await client.reply(10_049);
    client.stream.destroy();
    await attacked.expectEnd();
    expect(files.closed).toHaveLength(files.opened.length);
  });

  it("directories count, too", async () => {
    let opened = 0;
    const readdir = (): DirectoryEntry[] => {
      opened++;
      return [];
    };
    const attacked = await AttackedSession.start({ readdir }, { maxOpenHandles: 20 });
    for (let id = 10_000; id < 11_000; id++) attacked.client.send(request(OPENDIR, id, "/"));
    await attacked.client.count(1_001);
    expect(opened).toBe(20);
    await attacked.expectAlive();
  });
});

/** What a method in JavaScript may do instead of what it should. */
const misdeeds: readonly (readonly [what: string, run: () => unknown])[] = [
  ["throws an error", thrower(() => new Error("/real/root"))],
  ["throws a system error", thrower(() => Object.assign(new Error("/real/root"), { code: "ENOENT" }))],
  ["throws a text", thrower(() => "/real/root")],
  ["throws nothing", thrower(() => undefined)],
  ["throws null", thrower(() => null)],
  ["throws an object without a prototype", thrower(() => Object.create(null))],
  [
    "throws an error whose code throws",
    thrower(() => Object.defineProperty(new Error("/real/root"), "code", { get: thrower(() => "/real/root") })),
  ],
  ["throws a status that is none", thrower(() => new SFTPError(99 as StatusCode, "odd"))],
  ["throws a status that is no number", thrower(() => new SFTPError("ENOENT" as unknown as StatusCode, "odd"))],
  ["throws a code that is none", thrower(() => new FileError("EODD" as FileErrorCode, "odd"))],
  ["throws success", thrower(() => new SFTPError(StatusCode.OK, "fine"))],
  ["throws a message that is no text", thrower(() => Object.assign(new SFTPError(FAILURE, ""), { message: { a: 1 } }))],
  ["rejects", () => Promise.reject(new Error("/real/root"))],
  ["rejects with nothing", () => Promise.reject()],
  ["returns an object that throws when it is looked at", () => new Proxy({}, { get: thrower(() => "/real/root") })],
  ["returns nothing", () => undefined],
  ["returns null", () => null],
  ["returns a number", () => -1],
  ["returns a text", () => "x".repeat(100)],
  ["returns an empty object", () => ({})],
  ["returns endless sizes", () => ({ ...attributes, size: Number.POSITIVE_INFINITY, permissions: Number.NaN })],
  ["returns an unknown type", () => ({ ...attributes, type: "door" })],
];

function thrower(make: () => unknown): () => never {
  return () => {
    throw make();
  };
}

describe("a file system that", () => {
  const methods = ["open", "lstat", "setstat", "readdir", "remove", "mkdir", "rmdir", "rename"] as const;
  const more = ["posixRename", "readlink", "symlink", "hardlink", "statvfs", "userNames", "groupNames"] as const;
  const handleMethods = ["read", "write", "stat", "setstat", "fsync", "close"] as const;

  it.each(misdeeds)("%s: each request has one reply, and the session goes on", async (_, misdeed) => {
    const files = Object.fromEntries([...methods, ...more].map((name) => [name, misdeed])) as unknown as FileSystem;
    const attacked = await AttackedSession.start(files);
    const { client } = attacked;
    const paths = [STAT, PacketType.LSTAT, OPENDIR, PacketType.REMOVE, PacketType.RMDIR, PacketType.READLINK];
    for (const type of [...paths, PacketType.REALPATH]) await client.ask(type, "/a/b");
    for (const type of [PacketType.SETSTAT, PacketType.MKDIR]) await client.ask(type, "/a/b", NO_ATTRIBUTES);
    for (const type of [PacketType.RENAME, PacketType.SYMLINK]) await client.ask(type, "/a/b", "/c/d");
    await client.ask(OPEN, "/a", READ | WRITE | CREAT, NO_ATTRIBUTES);
    for (const name of ["posix-rename", "hardlink"]) await client.askExtended(`${name}@openssh.com`, "/a", "/b");
    await client.askExtended("lsetstat@openssh.com", "/a", NO_ATTRIBUTES);
    await client.askExtended("statvfs@openssh.com", "/a");
    await client.askExtended("expand-path@openssh.com", "~/a");
    await client.askExtended("home-directory", "");
    await client.askExtended("users-groups-by-id@openssh.com", encodeFields(1, 2), encodeFields(3));
    await client.askExtended("check-file-name", "/a", "md5", 0n, 0n, 0);
    expect(Buffer.concat(client.replies.map(({ bytes }) => bytes)).includes("real")).toBe(false);
    expect((await client.askExtended("limits@openssh.com")).type).toBe(PacketType.EXTENDED_REPLY);
    await attacked.expectOthersUnharmed();
    client.stream.destroy();
    await attacked.expectEnd();
  });

  it.each(misdeeds)("opens files each of whose methods %s: the same", async (_, misdeed) => {
    const handle = Object.fromEntries(handleMethods.map((name) => [name, misdeed])) as unknown as FileHandle;
    const attacked = await AttackedSession.start({ open: () => handle });
    const { client } = attacked;
    const [one, other] = [await client.open("/one", READ | WRITE), await client.open("/other", READ | WRITE)];
    await client.ask(PacketType.READ, one, 0n, 1000);
    await client.ask(PacketType.WRITE, one, 0n, "x");
    await client.ask(FSTAT, one);
    await client.ask(PacketType.FSETSTAT, one, NO_ATTRIBUTES);
    await client.askExtended("fsync@openssh.com", one);
    await client.askExtended("copy-data", one, 0n, 10n, other, 0n);
    await client.askExtended("check-file-handle", one, "md5", 0n, 10n, 0);
    await client.ask(CLOSE, one);
    expect(Buffer.concat(client.replies.map(({ bytes }) => bytes)).includes("real")).toBe(false);
    await attacked.expectAlive();
    client.stream.destroy();
    await attacked.expectEnd();
  });

  it.each(misdeeds)("lists directories with an iterator that %s: the same", async (_, misdeed) => {
    const iterator = { next: misdeed, return: misdeed };
    const files = { readdir: () => ({ [Symbol.asyncIterator]: () => iterator }) } as unknown as FileSystem;
    const attacked = await AttackedSession.start(files);
    const { client } = attacked;
    const [one] = [await client.opendir("/"), await client.opendir("/")];
    for (let round = 0; round < 3; round++) await client.ask(READDIR, one ?? "");
    await client.ask(CLOSE, one ?? "");
    expect(Buffer.concat(client.replies.map(({ bytes }) => bytes)).includes("real")).toBe(false);
    await attacked.expectAlive();
    client.stream.destroy();
    await attacked.expectEnd();
  });

  it("lists names that cannot be, or without end: a status or as much as fits", async () => {
    const names = ["\ud800", "", "/", "..", "\0", "x".repeat(100_000)];
    for (const name of names) {
      const attacked = await AttackedSession.start({ readdir: () => [{ name, attributes }] });
      const reply = await attacked.client.ask(READDIR, await attacked.client.opendir("/"));
      expect(reply.bytes.length).toBeLessThan(256 * 1024);
      await attacked.expectAlive();
    }
  });

  it("says it wrote, and never ends reading: what is open is closed at the end", async () => {
    let closed = 0;
    const handle: FileHandle = {
      read: (buffer) => buffer.length,
      close: () => {
        closed++;
      },
    };
    const attacked = await AttackedSession.start({ open: () => handle });
    const { client } = attacked;
    const one = await client.open("/endless");
    client.send(request(PacketType.EXTENDED, 1, "check-file-handle", one, "md5", 0n, 0n, 0));
    client.send(request(PacketType.EXTENDED, 2, "check-file-name", "/endless", "md5", 0n, 0n, 0));
    expect(readData(await client.ask(PacketType.READ, one, 0n, 5))).toHaveLength(5);
    await attacked.expectAlive();
    client.stream.destroy();
    await attacked.expectEnd();
    expect(closed).toBe(1);
  });

  it("takes its time gets no more requests than may be under way", async () => {
    let running = 0;
    let most = 0;
    const gate = new Deferred();
    const lstat = async () => {
      most = Math.max(most, ++running);
      await gate.promise;
      running--;
      return attributes;
    };
    const attacked = await AttackedSession.start({ lstat });
    for (let id = 10_000; id < 12_000; id++) attacked.client.send(request(STAT, id, "/x"));
    await new Promise(setImmediate);
    gate.resolve();
    await attacked.client.count(2_001);
    expect(most).toBeLessThanOrEqual(128);
    expect(new Set(attacked.client.replies.slice(1).map(({ id }) => id)).size).toBe(2_000);
    await attacked.expectAlive();
  });
});
