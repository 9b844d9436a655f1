import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { OpenFlag, PacketType, StatusCode } from "../../src/sftp/codec/constants.js";
import {
  attributes,
  encodeFields,
  extended,
  type Field,
  init,
  NO_ATTRIBUTES,
  packet,
  Raw,
  readExtensions,
  readStatus,
  request,
} from "../support/sftp-packets.js";
import { AttackedSession } from "./attacked-session.js";

const { BAD_MESSAGE, FAILURE, NO_SUCH_FILE, OK, OP_UNSUPPORTED } = StatusCode;
const { EXTENDED } = PacketType;

const ALL_ATTRIBUTES = attributes({
  size: 1n,
  owner: [1, 2],
  permissions: 0o600,
  times: [3, 4],
  extended: [["name", "data"]],
});

function tree(): MemoryFileSystem {
  return MemoryFileSystem.from({ "/file": "0123456789", "/directory/inner": "" });
}

/** Every request, well-formed, by what it is called; it names handles that are open. */
function everyRequest(file: Buffer, directory: Buffer): [name: string, type: number, fields: readonly Field[]][] {
  const kinds: [keyof typeof PacketType, readonly Field[]][] = [
    ["OPEN", ["/file", OpenFlag.READ, ALL_ATTRIBUTES]],
    ["READ", [file, 0n, 10]],
    ["WRITE", [file, 0n, "abc"]],
    ["LSTAT", ["/file"]],
    ["FSTAT", [file]],
    ["SETSTAT", ["/file", ALL_ATTRIBUTES]],
    ["FSETSTAT", [file, ALL_ATTRIBUTES]],
    ["OPENDIR", ["/directory"]],
    ["READDIR", [directory]],
    ["MKDIR", ["/new", ALL_ATTRIBUTES]],
    ["RMDIR", ["/new"]],
    ["REALPATH", ["."]],
    ["STAT", ["/file"]],
    ["SYMLINK", ["target", "/new link"]],
    ["READLINK", ["/new link"]],
    ["REMOVE", ["/new link"]],
    ["RENAME", ["/file", "/other"]],
  ];
  const extensions: [string, readonly Field[]][] = [
    ["posix-rename@openssh.com", ["/other", "/file"]],
    ["statvfs@openssh.com", ["/"]],
    ["fstatvfs@openssh.com", [file]],
    ["hardlink@openssh.com", ["/file", "/second"]],
    ["fsync@openssh.com", [file]],
    ["lsetstat@openssh.com", ["/file", ALL_ATTRIBUTES]],
    ["limits@openssh.com", []],
    ["expand-path@openssh.com", ["~"]],
    ["copy-data", [file, 0n, 1n, file, 5n]],
    ["home-directory", ["me"]],
    ["users-groups-by-id@openssh.com", [encodeFields(1, 2), encodeFields(3)]],
    ["check-file", [file, "md5", 0n, 0n, 0]],
    ["check-file-handle", [file, "md5", 0n, 0n, 0]],
    ["check-file-name", ["/file", "md5", 0n, 0n, 0]],
  ];
  return [
    ...kinds.map(([name, fields]): [string, number, readonly Field[]] => [name, PacketType[name], fields]),
    ...extensions.map(([name, fields]): [string, number, readonly Field[]] => [name, EXTENDED, [name, ...fields]]),
    ["CLOSE", PacketType.CLOSE, [file]],
  ];
}

async function setUp() {
  const files = tree();
  const attacked = await AttackedSession.start(files);
  const { client } = attacked;
  const file = await client.open("/file", OpenFlag.READ | OpenFlag.WRITE);
  return { files, attacked, client, file, directory: await client.opendir("/directory") };
}

describe("every request", () => {
  it("that is cut, at each byte: a status, and nothing has happened", async () => {
    const { files, attacked, client, file, directory } = await setUp();
    for (const [name, type, fields] of everyRequest(file, directory)) {
      const body = encodeFields(...fields);
      const nameLength = type === EXTENDED ? 4 + name.length : 0;
      for (let length = nameLength; length < body.length; length++) {
        const reply = await client.askRaw(type, body.subarray(0, length));
        expect(readStatus(reply), `${name}, ${length} of ${body.length} bytes`).toEqual({
          code: BAD_MESSAGE,
          message: "Bad message",
        });
      }
    }
    expect([...files.readdir("/")].map(({ name }) => name).sort()).toEqual(["directory", "file"]);
    expect(files.readFile("/file").toString()).toBe("0123456789");
    await attacked.expectAlive();
  });

  it("whose lengths lie, each of its bytes changed: one reply, or the end of the session", async () => {
    const { client: first, file, directory } = await setUp();
    const all = everyRequest(file, directory);
    first.stream.destroy();
    for (const [, type, fields] of all) {
      const { attacked, client } = await setUp();
      const body = encodeFields(...fields);
      const ids: number[] = [];
      for (let at = 0; at < body.length; at++) {
        for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
          const changed = Buffer.from(body);
          changed[at] = value;
          ids.push(client.nextId());
          client.send(packet(encodeFields(new Raw(Buffer.of(type)), ids.at(-1) ?? 0, new Raw(changed))));
        }
      }
      for (const id of ids) {
        const reply = await client.reply(id);
        expect(reply.type).toBeGreaterThan(100);
      }
      expect(client.replies).toHaveLength(ids.length + 3);
      await attacked.expectAlive();
    }
  });

  it.each([
    ["as it should be", 0],
    ["with a byte behind its fields", 1],
    ["with a thousand bytes behind its fields", 1000],
  ])("%s: succeeds", async (_, length) => {
    const { client, file, directory } = await setUp();
    const behind = new Raw(Buffer.alloc(length, 0xff));
    for (const [name, type, fields] of everyRequest(file, directory)) {
      const reply = await client.ask(type, ...fields, behind);
      const code = reply.type === PacketType.STATUS ? readStatus(reply).code : OK;
      expect(code, name).toBe(OK);
    }
    expect(await client.close(file)).toEqual({ code: FAILURE, message: "Invalid handle" });
  });
});

describe("packets that no client sends", () => {
  it.each([
    ["before INIT", []],
    ["behind INIT", [init()]],
  ])("lengths that no packet has, %s: the end of the session", async (_, before) => {
    for (const length of [4, 256 * 1024 + 1]) {
      const attacked = await AttackedSession.attach(tree());
      attacked.client.send(...before, packet(Buffer.from([PacketType.REALPATH, 0, 0]), length));
      await attacked.expectEnd();
      expect(attacked.session.warnings).toHaveLength(1);
    }
  });

  it("types that are unknown, replies and INIT's number among them: a status", async () => {
    const known = new Set([...Object.values(PacketType)].filter((type) => typeof type === "number"));
    const attacked = await AttackedSession.start(tree());
    for (let type = 0; type < 256; type++) {
      if (known.has(type) && (type < 100 || type === EXTENDED)) continue;
      const status = readStatus(await attacked.client.askRaw(type, Buffer.alloc(type)));
      expect(status, `type ${type}`).toEqual({ code: OP_UNSUPPORTED, message: "Operation not supported" });
    }
    expect(readStatus(await attacked.client.askRaw(PacketType.VERSION, Buffer.alloc(0))).code).toBe(OP_UNSUPPORTED);
    await attacked.expectAlive();
  });

  it("extensions that are unknown: a status", async () => {
    const attacked = await AttackedSession.start(tree());
    const names = ["", "x", "limits@openssh.com\0", "LIMITS@openssh.com", "__proto__", "x".repeat(200_000)];
    for (const name of names) {
      const status = await attacked.client.extendedStatus(name, "data");
      expect(status.code, name.slice(0, 20)).toBe(OP_UNSUPPORTED);
    }
    await attacked.expectAlive();
  });

  it.each([0, 1, 3, 4, 5])("EXTENDED with a name that is cut after %i bytes: a status", async (length) => {
    const attacked = await AttackedSession.start(tree());
    const body = encodeFields("limits@openssh.com").subarray(0, length);
    expect(readStatus(await attacked.client.askRaw(EXTENDED, body)).code).toBe(BAD_MESSAGE);
    await attacked.expectAlive();
  });

  it("anything: each gets one reply, or the session ends", async () => {
    const random = fc.tuple(
      fc.oneof(fc.integer({ min: 3, max: 20 }), fc.constant(EXTENDED), fc.nat({ max: 255 })),
      fc.integer({ min: 1_000_000, max: 2 ** 32 - 1 }),
      fc.uint8Array({ maxLength: 60 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(random, { maxLength: 20 }), async (packets) => {
        const attacked = await AttackedSession.start(tree());
        const { client } = attacked;
        const wanted = packets.filter(([type]) => type !== PacketType.INIT);
        for (const [type, id, body] of wanted) {
          client.send(packet(encodeFields(new Raw(Buffer.of(type)), id, new Raw(body))));
        }
        await client.count(1 + wanted.length);
        const ids = client.replies.slice(1).map(({ id }) => id);
        expect(ids.sort()).toEqual(wanted.map(([, id]) => id).sort());
        await attacked.expectAlive();
      }),
      { numRuns: 50 },
    );
  });
});

describe("INIT", () => {
  it("missing: the end of the session, and nothing was done", async () => {
    for (const type of [PacketType.OPEN, PacketType.REALPATH, EXTENDED, 0, 255]) {
      const files = tree();
      const attacked = await AttackedSession.attach(files);
      attacked.client.send(request(type, 1, "/new", OpenFlag.WRITE | OpenFlag.CREAT, NO_ATTRIBUTES));
      await attacked.expectEnd();
      expect(attacked.client.replies).toEqual([]);
      expect([...files.readdir("/")]).toHaveLength(2);
    }
  });

  it("twice: the end of the session", async () => {
    const attacked = await AttackedSession.start(tree());
    attacked.client.send(init());
    await attacked.expectEnd();
    expect(attacked.client.replies).toHaveLength(1);
  });

  it.each([0, 1, 2, 3, 4, 6, 2 ** 32 - 1])("of version %i: version 3 all the same", async (version) => {
    const attacked = await AttackedSession.attach(tree());
    attacked.client.send(init(version));
    const reply = await attacked.client.version();
    expect(reply.id).toBe(3);
    expect(readExtensions(reply).get("limits@openssh.com")).toBe("1");
    await attacked.expectAlive();
  });

  it("with data that nobody knows: is passed over", async () => {
    const attacked = await AttackedSession.attach(tree());
    attacked.client.send(packet(Buffer.concat([Buffer.of(1, 0, 0, 0, 3), Buffer.alloc(1000, 0xff)])));
    expect((await attacked.client.version()).id).toBe(3);
    await attacked.expectAlive();
  });
});

describe("request ids", () => {
  it("that are repeated: each request has its reply", async () => {
    const attacked = await AttackedSession.start(tree());
    const { client } = attacked;
    for (let count = 0; count < 50; count++) client.send(request(PacketType.STAT, 7, "/file"));
    await client.count(51);
    expect(client.replies.slice(1).every(({ id, type }) => id === 7 && type === PacketType.ATTRS)).toBe(true);
    await attacked.expectAlive();
  });

  it.each([0, 2 ** 31, 2 ** 32 - 1])("%i comes back as it is", async (id) => {
    const attacked = await AttackedSession.start(tree());
    attacked.client.send(request(PacketType.STAT, id, "/none"));
    expect(readStatus(await attacked.client.reply(id)).code).toBe(NO_SUCH_FILE);
  });
});

describe("handles", () => {
  it("that are forged, empty, too long or closed: a status for every request", async () => {
    const { attacked, client, file, directory } = await setUp();
    const closed = await client.open("/file");
    await client.close(closed);
    const forged = [
      Buffer.alloc(0),
      Buffer.alloc(1),
      Buffer.alloc(4),
      Buffer.alloc(4, 0xff),
      Buffer.alloc(8),
      Buffer.alloc(256),
      Buffer.alloc(257),
      Buffer.alloc(100_000),
      Buffer.concat([file, Buffer.alloc(1)]),
      file.subarray(0, 3),
      closed,
    ];
    for (const handle of forged) {
      for (const [name, type, fields] of everyRequest(handle, handle)) {
        if (!fields.includes(handle)) continue;
        const status = readStatus(await client.ask(type, ...fields));
        expect(status, name).toEqual({ code: FAILURE, message: "Invalid handle" });
      }
    }
    expect((await client.close(file)).code).toBe(OK);
    expect((await client.close(directory)).code).toBe(OK);
    await attacked.expectAlive();
  });

  it("of other sessions name nothing", async () => {
    const [one, other] = [await setUp(), await setUp()];
    await one.client.open("/file");
    const handle = await one.client.open("/file");
    expect(await other.client.close(handle)).toEqual({ code: FAILURE, message: "Invalid handle" });
  });

  it("that were closed: READDIR, READ and a second CLOSE in one go get a status each", async () => {
    const { attacked, client, file, directory } = await setUp();
    const statuses = await Promise.all([
      client.close(file),
      client.close(file),
      client.status(PacketType.READ, file, 0n, 10),
      client.status(PacketType.WRITE, file, 0n, "x"),
      client.close(directory),
      client.status(PacketType.READDIR, directory),
      client.close(directory),
    ]);
    expect(statuses.map(({ code }) => code)).toEqual([OK, FAILURE, FAILURE, FAILURE, OK, FAILURE, FAILURE]);
    await attacked.expectAlive();
  });
});

describe("names", () => {
  it("with NUL: a status for every request, and nothing has happened", async () => {
    const { files, attacked, client } = await setUp();
    const path = Buffer.from("/file\0.txt");
    const before = [...files.readdir("/")].length;
    for (const type of ["LSTAT", "STAT", "REMOVE", "RMDIR", "OPENDIR", "READLINK", "REALPATH"] as const) {
      expect((await client.status(PacketType[type], path)).code, type).toBe(FAILURE);
    }
    expect((await client.status(PacketType.MKDIR, path, NO_ATTRIBUTES)).code).toBe(FAILURE);
    expect((await client.status(PacketType.OPEN, path, 0x0a, NO_ATTRIBUTES)).code).toBe(FAILURE);
    expect((await client.status(PacketType.SETSTAT, path, NO_ATTRIBUTES)).code).toBe(FAILURE);
    for (const [from, to] of [
      [path, "/x"],
      ["/file", path],
    ] as const) {
      expect((await client.status(PacketType.RENAME, from, to)).code).toBe(FAILURE);
      expect((await client.status(PacketType.SYMLINK, from, to)).code).toBe(FAILURE);
      expect((await client.extendedStatus("hardlink@openssh.com", from, to)).code).toBe(FAILURE);
      expect((await client.extendedStatus("posix-rename@openssh.com", from, to)).code).toBe(FAILURE);
    }
    expect([...files.readdir("/")]).toHaveLength(before);
    await attacked.expectAlive();
  });

  it("with newlines, backslashes, controls and bytes that are not UTF-8: are names", async () => {
    const { attacked, client } = await setUp();
    for (const hex of [
      "2f610a62",
      "2f5c2e2e5c",
      "2f1b5b326a",
      "2fff",
      "2fc0af",
      "2fc080",
      "2fe697",
      "2feda080",
      "2f7e",
    ]) {
      const path = Buffer.from(hex, "hex");
      const handle = await client.open(path, OpenFlag.WRITE | OpenFlag.CREAT | OpenFlag.EXCL);
      await client.close(handle);
      const reply = await client.ask(PacketType.REALPATH, path);
      expect(reply.body.subarray(8, 8 + path.length)).toEqual(path);
      expect((await client.status(PacketType.REMOVE, path)).code).toBe(OK);
    }
    await attacked.expectAlive();
  });

  it("of 64 KiB and more, of thousands of parts, of dots: a status", async () => {
    const { attacked, client } = await setUp();
    const long = [
      "x".repeat(64 * 1024),
      `/${"x".repeat(256)}`,
      "/x".repeat(32 * 1024),
      "../".repeat(32 * 1024),
      "/".repeat(200_000),
      `/directory${"/..".repeat(1_300)}/none`,
      `/directory${"/../directory".repeat(300)}/none`,
    ];
    for (const path of long) {
      expect([FAILURE, NO_SUCH_FILE]).toContain((await client.status(PacketType.STAT, path)).code);
      expect([FAILURE, NO_SUCH_FILE]).toContain((await client.status(PacketType.RMDIR, path)).code);
    }
    await attacked.expectAlive();
  });

  it("that lead upwards stay in the tree", async () => {
    const { client } = await setUp();
    for (const path of ["..", "/..", "../../../../etc", "/directory/../../..", "/directory/inner/../../.."]) {
      const reply = await client.ask(PacketType.REALPATH, path);
      if (reply.type === PacketType.NAME) expect(reply.body.subarray(8, 9).toString()).toBe("/");
    }
    expect((await client.status(PacketType.SYMLINK, "../../../../../directory", "/directory/up")).code).toBe(OK);
    const reply = await client.ask(PacketType.REALPATH, "/directory/up");
    expect(reply.body.includes("/directory")).toBe(true);
  });
});

describe("counts", () => {
  it("of extended attributes that are not there: a status", async () => {
    const { attacked, client, file } = await setUp();
    for (const count of [1, 2 ** 31, 2 ** 32 - 1]) {
      const lie = new Raw(encodeFields(0x8000_0000, count));
      expect((await client.status(PacketType.FSETSTAT, file, lie)).code).toBe(BAD_MESSAGE);
      expect((await client.status(PacketType.MKDIR, "/new", lie)).code).toBe(BAD_MESSAGE);
    }
    const many = attributes({ extended: Array.from({ length: 10_000 }, () => ["", ""] as const) });
    expect((await client.status(PacketType.FSETSTAT, file, many)).code).toBe(OK);
    await attacked.expectAlive();
  });

  it("of 2^32-1 and 2^64-1 in each field: a status or as much as there is", async () => {
    const { attacked, client, file } = await setUp();
    const huge = 2n ** 64n - 1n;
    expect((await client.ask(PacketType.READ, file, 0n, 2 ** 32 - 1)).body).toHaveLength(14);
    expect((await client.status(PacketType.READ, file, huge, 2 ** 32 - 1)).code).toBe(FAILURE);
    expect((await client.status(PacketType.WRITE, file, huge, "x")).code).toBe(FAILURE);
    expect((await client.status(PacketType.FSETSTAT, file, attributes({ size: huge }))).code).toBe(FAILURE);
    expect((await client.status(PacketType.FSETSTAT, file, attributes({ size: 2n ** 53n - 1n }))).code).toBe(FAILURE);
    const ownerless = attributes({ owner: [2 ** 32 - 1, 2 ** 32 - 1], times: [2 ** 32 - 1, 2 ** 32 - 1] });
    expect((await client.status(PacketType.FSETSTAT, file, ownerless)).code).toBe(OK);
    for (const offset of [2n ** 53n - 1n, 2n ** 40n]) {
      expect((await client.status(PacketType.WRITE, file, offset, "x")).code).toBe(FAILURE);
    }
    await attacked.expectAlive();
  });

  it("a name list of thousands of algorithms: a status", async () => {
    const { attacked, client, file } = await setUp();
    const names = Array.from({ length: 40_000 }, (_, index) => `a${index % 1000}`).join(",");
    const reply = await client.extendedStatus("check-file-handle", file, names, 0n, 0n, 0);
    expect(reply.code).toBe(OP_UNSUPPORTED);
    await attacked.expectAlive();
  });
});

describe("a session that ends in the middle", () => {
  it("of a packet, at each of its bytes: is gone, and nothing was done", async () => {
    const whole = request(PacketType.MKDIR, 1, "/new", NO_ATTRIBUTES);
    for (let length = 0; length < whole.length; length++) {
      for (const leave of ["end", "destroy"] as const) {
        const files = tree();
        const attacked = await AttackedSession.start(files);
        attacked.client.send(whole.subarray(0, length));
        attacked.client.stream[leave]();
        await attacked.expectEnd();
        expect([...files.readdir("/")]).toHaveLength(2);
      }
    }
  });

  it("of many requests: what came whole is answered before the end", async () => {
    const { attacked, client } = await setUp();
    const before = client.replies.length;
    for (let id = 0; id < 1_000; id++) client.send(extended(id, "limits@openssh.com"));
    client.stream.end();
    await attacked.expectEnd();
    expect(client.replies).toHaveLength(before + 1_000);
  });
});
