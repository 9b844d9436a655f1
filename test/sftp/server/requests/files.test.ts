import { describe, expect, it } from "vitest";
import { FileError } from "../../../../src/files/errors.js";
import type { FileHandle, FileSystem, OpenOptions } from "../../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../../src/files/memory/memory-file-system.js";
import { MAX_DATA_LENGTH, OpenFlag, PacketType, StatusCode } from "../../../../src/sftp/codec/constants.js";
import { attributes, NO_ATTRIBUTES, readAttributes, readData, readStatus } from "../../../support/sftp-packets.js";
import { startSession } from "../session.js";

const { READ, WRITE, APPEND, CREAT, TRUNC, EXCL } = OpenFlag;
const { OPEN, CLOSE, FSTAT, FSETSTAT } = PacketType;
const { OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, OP_UNSUPPORTED } = StatusCode;

function setUp(options: Parameters<typeof startSession>[1] = {}) {
  const files = MemoryFileSystem.from({ "/file": "0123456789", "/directory/inner": "" });
  return { files, started: startSession(files, options) };
}

/** The same tree, whose methods take their time: the later one is called, the faster it is. */
function slower(files: object): FileSystem {
  let turns = 200;
  const slow = (object: object): object =>
    new Proxy(object, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        if (name === "readdir") return method.bind(target);
        return async (...parameters: unknown[]): Promise<unknown> => {
          turns = Math.max(0, turns - 10);
          for (let turn = turns; turn > 0; turn--) await new Promise(setImmediate);
          const result: unknown = Reflect.apply(method, target, parameters);
          return name === "open" ? slow(Object(result)) : result;
        };
      },
    });
  return slow(files);
}

describe("OPEN", () => {
  it.each<[flags: string, value: number, expected: Partial<OpenOptions>]>([
    ["READ", READ, { read: true }],
    ["WRITE", WRITE, { write: true }],
    ["READ WRITE", READ | WRITE, { read: true, write: true }],
    ["WRITE CREAT", WRITE | CREAT, { write: true, create: true }],
    ["WRITE CREAT TRUNC", WRITE | CREAT | TRUNC, { write: true, create: true, truncate: true }],
    ["WRITE CREAT EXCL", WRITE | CREAT | EXCL, { write: true, create: true, exclusive: true }],
    ["WRITE APPEND", WRITE | APPEND, { write: true, append: true }],
    ["none: reads", 0, { read: true }],
    ["APPEND alone: writes", APPEND, { write: true, append: true }],
    ["READ TRUNC: empties nothing that is only read", READ | TRUNC, { read: true }],
    ["WRITE EXCL: means nothing without CREAT", WRITE | EXCL, { write: true }],
    ["READ and flags of later versions", 0xffff_ff01, { read: true }],
  ])("%s", async (_, value, expected) => {
    const asked: OpenOptions[] = [];
    const files: FileSystem = {
      open: (_path, options) => {
        asked.push(options);
        return {};
      },
    };
    const { client } = await startSession(files);
    await client.open("/x", value, attributes({ permissions: 0o100_640 }));
    const none = { read: false, write: false, append: false, create: false, truncate: false, exclusive: false };
    expect(asked).toEqual([{ ...none, ...expected, permissions: 0o640, signal: expect.any(AbortSignal) }]);
  });

  it("answers with a handle, exactly", async () => {
    const { client } = await setUp().started;
    const reply = await client.ask(OPEN, "/file", READ, NO_ATTRIBUTES);
    expect(reply.bytes.toString("hex")).toBe("0000000d66000000010000000400000001");
  });

  it.each<[what: string, path: string, flags: number, code: StatusCode, message: string]>([
    ["a file that is not there", "/none", READ, NO_SUCH_FILE, "No such file or directory"],
    ["a file in a directory that is not there", "/none/x", WRITE | CREAT, NO_SUCH_FILE, "No such file or directory"],
    ["a file in a file", "/file/x", READ, NO_SUCH_FILE, "Not a directory"],
    ["a directory", "/directory", READ, FAILURE, "Is a directory"],
    ["what is to be new and is there", "/file", WRITE | CREAT | EXCL, FAILURE, "File exists"],
    ["a name that is too long", `/${"x".repeat(256)}`, WRITE | CREAT, FAILURE, "File name too long"],
  ])("%s: a status", async (_, path, flags, code, message) => {
    const { client } = await setUp().started;
    expect(await client.status(OPEN, path, flags, NO_ATTRIBUTES)).toEqual({ code, message });
  });

  it("opens as many as it is told to, and nothing beyond", async () => {
    let opened = 0;
    const files: FileSystem = {
      open: () => {
        opened++;
        return {};
      },
    };
    const { client } = await startSession(files, { maxOpenHandles: 3 });
    const handles = [await client.open("/a"), await client.open("/b"), await client.open("/c")];
    const refused = { code: FAILURE, message: "Too many open files" };
    expect(await client.status(OPEN, "/d", READ, NO_ATTRIBUTES)).toEqual(refused);
    expect(opened).toBe(3);
    await client.close(handles[1] ?? Buffer.alloc(0));
    await client.open("/d");
    expect(opened).toBe(4);
  });
});

describe("READ and WRITE", () => {
  it("DATA, exactly", async () => {
    const { client } = await setUp().started;
    const reply = await client.ask(PacketType.READ, await client.open("/file"), 2n, 3);
    expect(reply.bytes.toString("hex")).toBe("0000000c670000000200000003323334");
  });

  it("reads what is there, and then the end", async () => {
    const { client } = await setUp().started;
    const handle = await client.open("/file");
    expect(readData(await client.ask(PacketType.READ, handle, 0n, 100)).toString()).toBe("0123456789");
    expect(readData(await client.ask(PacketType.READ, handle, 9n, 100)).toString()).toBe("9");
    for (const offset of [10n, 11n, BigInt(Number.MAX_SAFE_INTEGER)]) {
      expect(await client.status(PacketType.READ, handle, offset, 100)).toEqual({ code: EOF, message: "End of file" });
    }
  });

  it("reads no more at once than limits@openssh.com says", async () => {
    const { client } = await setUp().started;
    const handle = await client.open("/large", READ | WRITE | CREAT);
    const block = Buffer.alloc(200_000, 1);
    for (const offset of [0n, 200_000n]) await client.status(PacketType.WRITE, handle, offset, block);
    for (const length of [MAX_DATA_LENGTH, MAX_DATA_LENGTH + 1, 2 ** 32 - 1]) {
      expect(readData(await client.ask(PacketType.READ, handle, 0n, length))).toHaveLength(MAX_DATA_LENGTH);
    }
  });

  it("writes at the offset", async () => {
    const { files, started } = setUp();
    const { client } = await started;
    const handle = await client.open("/file", WRITE);
    expect((await client.status(PacketType.WRITE, handle, 3n, "abc")).code).toBe(OK);
    expect((await client.status(PacketType.WRITE, handle, 12n, "z")).code).toBe(OK);
    expect((await client.status(PacketType.WRITE, handle, 0n, "")).code).toBe(OK);
    expect(files.readFile("/file").toString()).toBe("012abc6789\0\0z");
  });

  it("writes no more than the data, whatever follows it", async () => {
    const { files, started } = setUp();
    const { client } = await started;
    const handle = await client.open("/file", WRITE);
    expect((await client.status(PacketType.WRITE, handle, 3n, "abc", "more")).code).toBe(OK);
    expect(files.readFile("/file").toString()).toBe("012abc6789");
  });

  it("answers the reads of a handle in their order, whichever is done first", async () => {
    const waiting: (() => void)[] = [];
    const read = async (buffer: Buffer, position: number) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return buffer.write(`${position}`);
    };
    const { client } = await startSession({ open: () => ({ read }) });
    const handle = await client.open("/x");
    const reads = [0n, 1n, 2n, 3n].map((offset) => client.ask(PacketType.READ, handle, offset, 1));
    await client.askExtended("limits@openssh.com");
    expect(waiting).toHaveLength(4);
    for (const resolve of waiting.reverse()) resolve();
    expect((await Promise.all(reads)).map((reply) => readData(reply).toString())).toEqual(["0", "1", "2", "3"]);
    const data = client.replies.filter(({ type }) => type === PacketType.DATA);
    expect(data.map((reply) => readData(reply).toString())).toEqual(["0", "1", "2", "3"]);
  });

  it("answers the writes of a handle in their order, also those that are refused at once", async () => {
    let finishFirst = () => {};
    const write = async (_data: Buffer, position: number) => {
      if (position > 0) throw new FileError("EDQUOT");
      await new Promise<void>((resolve) => {
        finishFirst = resolve;
      });
    };
    const { client } = await startSession({ open: () => ({ write }) });
    const handle = await client.open("/x", WRITE);
    const written = [0n, 1n].map((offset) => client.status(PacketType.WRITE, handle, offset, "x"));
    await client.askExtended("limits@openssh.com");
    finishFirst();
    await Promise.all(written);
    const statuses = client.replies.filter(({ type }) => type === PacketType.STATUS);
    expect(statuses.map((reply) => readStatus(reply).code)).toEqual([OK, FAILURE]);
  });

  it("appends whatever the offset", async () => {
    const { files, started } = setUp();
    const { client } = await started;
    const handle = await client.open("/file", APPEND);
    for (const text of ["a", "b"]) await client.status(PacketType.WRITE, handle, 3n, text);
    expect(files.readFile("/file").toString()).toBe("0123456789ab");
  });

  it("keeps to what the file was opened for", async () => {
    const { client } = await setUp().started;
    const [reading, writing] = [await client.open("/file", READ), await client.open("/file", WRITE)];
    expect((await client.status(PacketType.WRITE, reading, 0n, "x")).code).toBe(PERMISSION_DENIED);
    expect((await client.status(PacketType.READ, writing, 0n, 1)).code).toBe(PERMISSION_DENIED);
    const resize = attributes({ size: 0n });
    expect((await client.status(FSETSTAT, reading, resize)).code).toBe(PERMISSION_DENIED);
    expect((await client.status(FSETSTAT, writing, resize)).code).toBe(OK);
  });

  it.each([2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n])("refuses the offset %d", async (offset) => {
    const { client } = await setUp().started;
    const handle = await client.open("/file", READ | WRITE);
    const tooLarge = { code: FAILURE, message: "File too large" };
    expect(await client.status(PacketType.READ, handle, offset, 1)).toEqual(tooLarge);
    expect(await client.status(PacketType.WRITE, handle, offset, "x")).toEqual(tooLarge);
  });

  it("writes nothing that would end behind what a number holds", async () => {
    const { client } = await setUp().started;
    const handle = await client.open("/file", WRITE);
    const reply = await client.status(PacketType.WRITE, handle, 2n ** 53n - 2n, "ab");
    expect(reply).toEqual({ code: FAILURE, message: "File too large" });
  });
});

describe("CLOSE", () => {
  it("closes the file, once", async () => {
    let closed = 0;
    const handle: FileHandle = {
      close: () => {
        closed++;
      },
    };
    const { client } = await startSession({ open: () => handle });
    const name = await client.open("/x");
    expect(await client.close(name)).toEqual({ code: OK, message: "Success" });
    expect(await client.close(name)).toEqual({ code: FAILURE, message: "Invalid handle" });
    expect(closed).toBe(1);
  });

  it("tells when closing fails, and the handle is gone", async () => {
    const close = () => Promise.reject(Object.assign(new Error("/real/path"), { code: "ENOSPC" }));
    const { client } = await startSession({ open: () => ({ close }) });
    const name = await client.open("/x");
    expect(await client.close(name)).toEqual({ code: FAILURE, message: "No space left on device" });
    expect(await client.close(name)).toEqual({ code: FAILURE, message: "Invalid handle" });
  });

  it("that is denied closes the file all the same", async () => {
    let closed = 0;
    const handle: FileHandle = {
      close: () => {
        closed++;
      },
    };
    const options = { deniedRequests: ["close"], maxOpenHandles: 1 };
    const { client } = await startSession({ open: () => handle }, options);
    for (const times of [1, 2, 3]) {
      expect((await client.close(await client.open("/x"))).code).toBe(PERMISSION_DENIED);
      expect(closed).toBe(times);
    }
  });

  it("ends the listing of a directory, and what was opened without close is just gone", async () => {
    let ended = 0;
    const entries = {
      [Symbol.iterator]: () => entries,
      next: () => ({ done: true, value: undefined }) as const,
      return: () => {
        ended++;
        return { done: true, value: undefined } as const;
      },
    };
    const { client } = await startSession({ readdir: () => entries, open: () => ({}) });
    expect((await client.close(await client.opendir("/"))).code).toBe(OK);
    expect(ended).toBe(1);
    expect((await client.close(await client.open("/x"))).code).toBe(OK);
  });
});

describe("FSTAT and FSETSTAT", () => {
  it("work on an open file, whatever has become of its name", async () => {
    const { files, started } = setUp();
    const { client } = await started;
    const handle = await client.open("/file", READ | WRITE);
    files.remove("/file");
    const changes = { size: 4n, owner: [7, 8], permissions: 0o600, times: [9, 10] } as const;
    expect((await client.status(FSETSTAT, handle, attributes(changes))).code).toBe(OK);
    expect(readAttributes(await client.ask(FSTAT, handle))).toEqual({
      size: 4n,
      uid: 7,
      gid: 8,
      mode: 0o100_600,
      accessTime: 9,
      modifyTime: 10,
    });
  });

  it("work on an open directory", async () => {
    const { files, started } = setUp();
    const { client } = await started;
    const handle = await client.opendir("/directory");
    expect((await client.status(FSETSTAT, handle, attributes({ permissions: 0o700 }))).code).toBe(OK);
    expect(readAttributes(await client.ask(FSTAT, handle)).mode).toBe(0o040_700);
    expect(files.lstat("/directory").permissions).toBe(0o700);
  });

  it("keep their order with requests by name", async () => {
    const { client } = await startSession(slower(setUp().files));
    const directory = await client.opendir("/directory");
    const file = await client.open("/file", READ | WRITE);
    const replies = await Promise.all([
      client.ask(FSETSTAT, directory, attributes({ permissions: 0o700 })),
      client.ask(PacketType.STAT, "/directory"),
      client.ask(PacketType.SETSTAT, "/directory", attributes({ permissions: 0o711 })),
      client.ask(FSTAT, directory),
      client.ask(FSETSTAT, file, attributes({ permissions: 0o600 })),
      client.ask(PacketType.STAT, "/file"),
      client.ask(PacketType.SETSTAT, "/file", attributes({ permissions: 0o611 })),
      client.ask(FSTAT, file),
    ]);
    const modes = replies.filter(({ type }) => type === PacketType.ATTRS).map((reply) => readAttributes(reply).mode);
    expect(modes).toEqual([0o040_700, 0o040_711, 0o100_600, 0o100_611]);
  });
});

describe("fsync@openssh.com", () => {
  it("waits for the disk", async () => {
    let synced = 0;
    const fsync = async () => {
      synced++;
    };
    const { client } = await startSession({ open: () => ({ fsync }) });
    expect((await client.extendedStatus("fsync@openssh.com", await client.open("/x"))).code).toBe(OK);
    expect(synced).toBe(1);
  });
});

describe("handles that lack methods", () => {
  it("answer that it is not supported", async () => {
    const { client } = await startSession({ open: () => ({}) });
    const handle = await client.open("/x", READ | WRITE);
    const codes = [
      await client.status(PacketType.READ, handle, 0n, 1),
      await client.status(PacketType.WRITE, handle, 0n, "x"),
      await client.status(FSTAT, handle),
      await client.status(FSETSTAT, handle, NO_ATTRIBUTES),
      await client.extendedStatus("fsync@openssh.com", handle),
      await client.extendedStatus("copy-data", handle, 0n, 1n, handle, 10n),
      await client.extendedStatus("check-file-handle", handle, "sha256", 0n, 0n, 0),
    ].map(({ code }) => code);
    expect(codes).toEqual(codes.map(() => OP_UNSUPPORTED));
  });
});

describe("requests that need another kind of handle", () => {
  it("get a status", async () => {
    const { client } = await setUp().started;
    const directory = await client.opendir("/");
    const file = await client.open("/file", READ | WRITE);
    const statuses = [
      await client.status(PacketType.READ, directory, 0n, 1),
      await client.status(PacketType.WRITE, directory, 0n, "x"),
      await client.status(PacketType.READDIR, file),
      await client.extendedStatus("fsync@openssh.com", directory),
      await client.extendedStatus("copy-data", directory, 0n, 1n, file, 0n),
      await client.extendedStatus("copy-data", file, 0n, 1n, directory, 0n),
      await client.extendedStatus("check-file-handle", directory, "md5", 0n, 0n, 0),
    ];
    for (const { code, message } of statuses) {
      expect(code).toBe(FAILURE);
      expect(message).toMatch(/^The handle is not of a (file|directory)$/);
    }
    expect((await client.status(CLOSE, directory)).code).toBe(OK);
  });
});
