import { describe, expect, it } from "vitest";
import type { FileOperation } from "../../../src/files/file-operation.js";
import type { FileHandle, FileSystem, OpenOptions } from "../../../src/files/file-system.js";
import { OpenFlag, PacketType, StatusCode } from "../../../src/sftp/codec/constants.js";
import {
  type AccessFunction,
  type AuditEvent,
  atomicUploads,
  audit,
  MemoryFileSystem,
  rules,
  type TransferEvent,
} from "../../../src/sftp/index.js";
import { SCPTestPeer } from "../../scp/scp-peer.js";
import { attributes, readAttributes, readHandle, readNames } from "../../support/sftp-packets.js";
import { startSession, type TestSession } from "./session.js";

const { READ, WRITE, APPEND, CREAT, TRUNC } = OpenFlag;
const PUT = WRITE | CREAT | TRUNC;
/** As `reput` of OpenSSH opens a file. */
const REPUT = WRITE | CREAT | APPEND;

/** Files that several users share, and what the function was asked, and what was told of them. */
function shared(...allowed: readonly FileOperation[]) {
  const files = MemoryFileSystem.from({ "/box/theirs": "theirs" });
  const asked: string[] = [];
  const audited: AuditEvent[] = [];
  const uploads: TransferEvent[] = [];
  const access: AccessFunction = (operation, path) => {
    asked.push(`${operation} ${path}`);
    return allowed.includes(operation);
  };
  const start = (user: string) =>
    startSession(audit(atomicUploads(files, { user }), { record: (event) => void audited.push(event) }), {
      access,
      onUpload: (event) => void uploads.push(event),
    });
  return { files, asked, audited, uploads, start };
}

async function begin({ client }: TestSession, path: string, text: string, flags = PUT): Promise<Buffer> {
  const handle = await client.open(path, flags);
  await write({ client }, handle, text);
  return handle;
}

async function write({ client }: Pick<TestSession, "client">, handle: Buffer, text: string): Promise<void> {
  expect(await client.status(PacketType.WRITE, handle, 0n, text)).toMatchObject({ code: StatusCode.OK });
}

async function breakOff({ client, server }: TestSession): Promise<void> {
  client.stream.destroy();
  await server.closed;
}

const content = (files: MemoryFileSystem, path: string) => files.readFile(path).toString();
const names = (files: MemoryFileSystem) => [...files.readdir("/box")].map(({ name }) => name);
const opening = ({ client }: TestSession, path: string, flags: number) =>
  client.status(PacketType.OPEN, path, flags, attributes());
const refused = { code: StatusCode.PERMISSION_DENIED };

describe("a staged upload of one who may only create", () => {
  it("is asked about once, under its final name", async () => {
    const { files, asked, uploads, start } = shared("create");
    const session = await start("ben");
    const handle = await begin(session, "/box/new", "ben's");
    expect(await session.client.close(handle)).toMatchObject({ code: StatusCode.OK });
    expect(asked).toEqual(["create /box/new"]);
    expect(content(files, "/box/new")).toBe("ben's");
    expect(uploads).toMatchObject([{ path: "/box/new", outcome: { result: "completed" } }]);
  });

  it.each([
    ["fails at its close, and replaces nothing, where another file has come to its place", PUT],
    ["that was opened to append does so, too", REPUT],
  ])("%s", async (_, flags) => {
    const { files, asked, audited, uploads, start } = shared("create", "append");
    const session = await start("ben");
    const handle = await begin(session, "/box/new", "ben's", flags);
    files.writeFile("/box/new", "another's");
    expect(await session.client.close(handle)).toMatchObject({ code: StatusCode.FAILURE });
    expect(content(files, "/box/new")).toBe("another's");
    expect(names(files)).toEqual(["theirs", "new"]);
    expect(asked).toEqual(["create /box/new", "overwrite /box/new"]);
    expect(uploads).toMatchObject([{ outcome: { result: "aborted", reason: "error" } }]);
    expect(audited).toMatchObject([{ operation: "open" }, { operation: "close", outcome: { result: "aborted" } }]);
  });

  it("is in its place though times are refused that come with its size, as lftp sends them", async () => {
    const { files, asked, uploads, start } = shared("create");
    const session = await start("ben");
    const { client } = session;
    const handle = await begin(session, "/box/new", "ben's and more");
    const changes = attributes({ size: 5n, times: [1, 2] });
    expect(await client.status(PacketType.FSETSTAT, handle, changes)).toMatchObject(refused);
    expect(await client.close(handle)).toMatchObject({ code: StatusCode.OK });
    expect(content(files, "/box/new")).toBe("ben's");
    expect(uploads).toMatchObject([{ bytes: 14, outcome: { result: "completed" } }]);
    expect(asked).toEqual(["create /box/new", "attributes /box/new"]);
  });

  it("is refused at its close where a part of it was lost through another handle", async () => {
    const { files, uploads, start } = shared("create");
    const session = await start("ben");
    const { client } = session;
    const first = await begin(session, "/box/new", "ben's");
    const second = await client.open("/box/new", WRITE);
    expect(
      (await client.status(PacketType.WRITE, second, BigInt(Number.MAX_SAFE_INTEGER) - 1n, "beyond")).code,
    ).not.toBe(0);
    for (const handle of [second, first]) {
      expect(await client.close(handle)).toMatchObject({ code: StatusCode.FAILURE, message: "File too large" });
    }
    expect(names(files)).not.toContain("new");
    expect(uploads.map(({ outcome }) => outcome.result)).toEqual(["aborted", "aborted"]);
  });

  it("goes on in another session, whose client is told how much has come", async () => {
    const { files, start } = shared("create");
    const first = await start("ben");
    await begin(first, "/box/new", "ben");
    await breakOff(first);
    const second = await start("ben");
    expect(readAttributes(await second.client.ask(PacketType.STAT, "/box/new"))).toMatchObject({ size: 3n });
    await second.client.close(await begin(second, "/box/new", "'s", REPUT));
    expect(content(files, "/box/new")).toBe("ben's");
    // Now it is an ordinary file.
    expect(await second.client.status(PacketType.STAT, "/box/new")).toMatchObject(refused);
    for (const flags of [REPUT, PUT, WRITE]) expect(await opening(second, "/box/new", flags)).toMatchObject(refused);
  });

  it.each([
    ["goes on without CREAT", WRITE, "BEN"],
    ["goes on with CREAT alone", WRITE | CREAT, "BEN"],
    ["is begun anew", PUT, "B"],
  ])("%s", async (_, flags, whole) => {
    const { files, start } = shared("create");
    const first = await start("ben");
    await begin(first, "/box/new", "bEN");
    await breakOff(first);
    const second = await start("ben");
    await second.client.close(await begin(second, "/box/new", "B", flags));
    expect(content(files, "/box/new")).toBe(whole);
  });

  it("is taken over from a session that still has it open", async () => {
    const { files, start } = shared("create");
    const [first, second] = [await start("ben"), await start("ben")];
    const lost = await begin(first, "/box/new", "ben");
    const handle = await begin(second, "/box/new", "'s", REPUT);
    expect((await first.client.status(PacketType.WRITE, lost, 0n, "x")).code).toBe(StatusCode.FAILURE);
    expect((await second.client.close(handle)).code).toBe(StatusCode.OK);
    expect(content(files, "/box/new")).toBe("ben's");
  });

  it("that is gone on with replaces nothing either, whatever is asked first", async () => {
    const { files, start } = shared("create", "append");
    const first = await start("ben");
    await begin(first, "/box/new", "ben");
    await breakOff(first);
    files.writeFile("/box/new", "another's");
    const second = await start("ben");
    for (const flags of [PUT, WRITE]) expect(await opening(second, "/box/new", flags)).toMatchObject(refused);
    const handle = await begin(second, "/box/new", "'s", REPUT);
    expect((await second.client.close(handle)).code).toBe(StatusCode.FAILURE);
    expect(content(files, "/box/new")).toBe("another's");
  });

  it("is not there for others", async () => {
    const { files, start } = shared("create", "list");
    const [ben, cid] = [await start("ben"), await start("cid")];
    const handle = await begin(ben, "/box/new", "ben's");
    expect(await cid.client.status(PacketType.STAT, "/box/new")).toMatchObject(refused);
    const listed = readNames(await cid.client.ask(PacketType.READDIR, await cid.client.opendir("/box")));
    expect(listed.map(({ name }) => `${name}`).sort()).toEqual([".", "..", "theirs"]);
    await cid.client.close(await begin(cid, "/box/new", "cid's", REPUT));
    expect((await ben.client.close(handle)).code).toBe(StatusCode.FAILURE);
    expect(content(files, "/box/new")).toBe("cid's");
  });
});

describe("a staged upload", () => {
  it("replaces what has come meanwhile where overwrite is allowed: the last one to close wins", async () => {
    const { files, asked, start } = shared("create", "overwrite");
    const session = await start("ben");
    const handle = await begin(session, "/box/new", "ben's");
    files.writeFile("/box/new", "another's");
    expect((await session.client.close(handle)).code).toBe(StatusCode.OK);
    expect(content(files, "/box/new")).toBe("ben's");
    expect(asked).toEqual(["create /box/new", "overwrite /box/new"]);
  });

  it("over a file is asked about as overwrite, once", async () => {
    const { files, asked, start } = shared("overwrite");
    const session = await start("ben");
    await session.client.close(await begin(session, "/box/theirs", "ben's"));
    expect(content(files, "/box/theirs")).toBe("ben's");
    expect(asked).toEqual(["overwrite /box/theirs"]);
  });

  it("over a file, as scp does it, is staged where only overwrite is allowed", async () => {
    const { files, asked, start } = shared("overwrite");
    const session = await start("ben");
    const { client } = session;
    const handle = await begin(session, "/box/theirs", "ben's", WRITE | CREAT);
    expect(content(files, "/box/theirs")).toBe("theirs");
    expect(await client.status(PacketType.FSETSTAT, handle, attributes({ size: 5n }))).toMatchObject({ code: 0 });
    expect(content(files, "/box/theirs")).toBe("theirs");
    expect((await client.close(handle)).code).toBe(StatusCode.OK);
    expect(content(files, "/box/theirs")).toBe("ben's");
    expect(asked).toEqual(["overwrite /box/theirs", "overwrite /box/theirs"]);
    // Without CREAT it is written in its place, as by those who have it mounted.
    await begin(session, "/box/theirs", "BEN", WRITE);
    expect(content(files, "/box/theirs")).toBe("BEN's");
  });

  it("over a file that is removed meanwhile makes none where create is refused", async () => {
    const { files, asked, start } = shared("overwrite");
    const session = await start("ben");
    const handle = await begin(session, "/box/theirs", "ben's");
    files.remove("/box/theirs");
    expect((await session.client.close(handle)).code).toBe(StatusCode.NO_SUCH_FILE);
    expect(() => files.lstat("/box/theirs")).toThrow("No such file");
    expect(asked).toEqual(["overwrite /box/theirs", "create /box/theirs"]);
  });

  it.each([PUT, REPUT])(
    "that moves along with its directory replaces nothing where it comes to, opened with %i",
    async (flags) => {
      const files = MemoryFileSystem.from({ "/in/d/old": "old", "/out/.keep": "" });
      const access = rules([
        { path: "/in/**", allow: "all" },
        { path: "/out/**", allow: ["rename", "list", "stat", "read", "create"] },
      ]);
      const session = await startSession(atomicUploads(files, { user: "ann" }), { access });
      const { client } = session;
      const over = await begin(session, "/in/d/old", "newer", PUT);
      const fresh = await begin(session, "/in/d/new", "new", flags);
      const late = await begin(session, "/in/d/late", "late", flags);
      expect(await client.status(PacketType.RENAME, "/in/d", "/out/d")).toMatchObject({ code: StatusCode.OK });
      files.writeFile("/out/d/late", "of the clerk");
      expect(await client.close(late)).toMatchObject(refused);
      expect(content(files, "/out/d/late")).toBe("of the clerk");
      expect(await client.close(over)).toMatchObject(refused);
      expect(content(files, "/out/d/old")).toBe("old");
      expect(await client.close(fresh)).toMatchObject({ code: StatusCode.OK });
      expect(content(files, "/out/d/new")).toBe("new");
    },
  );

  it("with EXCL replaces nothing, whatever is allowed", async () => {
    const { files, start } = shared("create", "overwrite");
    const session = await start("ben");
    const handle = await begin(session, "/box/new", "ben's", WRITE | CREAT | OpenFlag.EXCL);
    files.writeFile("/box/new", "another's");
    expect((await session.client.close(handle)).code).toBe(StatusCode.FAILURE);
    expect(content(files, "/box/new")).toBe("another's");
  });

  it("is removed and read only where that is allowed, be it one's own", async () => {
    const { start } = shared("create");
    const session = await start("ben");
    await begin(session, "/box/new", "ben's");
    expect(await opening(session, "/box/new", READ)).toMatchObject(refused);
    expect(await session.client.status(PacketType.REMOVE, "/box/new")).toMatchObject(refused);
    const change = attributes({ permissions: 0o600 });
    expect(await session.client.status(PacketType.SETSTAT, "/box/new", change)).toMatchObject(refused);
  });

  it("has no other name for anybody, though all is allowed", async () => {
    const files = new MemoryFileSystem();
    const access = rules([{ path: "/**", allow: "all" }]);
    const session = await startSession(atomicUploads(files, { user: "ben" }), { access });
    await begin(session, "/new", "ben's");
    const staged = [...files.readdir("/")].map(({ name }) => `/${name}`);
    expect(staged).toEqual([expect.stringMatching(/^\/\.spindlex-/)]);
    const { client } = session;
    for (const path of staged) {
      for (const type of [PacketType.STAT, PacketType.REMOVE, PacketType.OPENDIR]) {
        expect((await client.status(type, path)).code).toBe(StatusCode.NO_SUCH_FILE);
      }
      for (const flags of [READ, WRITE]) expect((await opening(session, path, flags)).code).not.toBe(StatusCode.OK);
      expect((await client.status(PacketType.RENAME, path, "/mine")).code).not.toBe(StatusCode.OK);
    }
    const listed = readNames(await client.ask(PacketType.READDIR, await client.opendir("/")));
    expect(listed.map(({ name }) => `${name}`).sort()).toEqual([".", "..", "new"]);
  });

  it("under a hidden name is not listed", async () => {
    const files = new MemoryFileSystem();
    const uploader = await startSession(atomicUploads(files, { user: "ben" }));
    await begin(uploader, "/.secret", "ben's");
    const access = rules([
      { path: "/**/.*", hidden: true },
      { path: "/**", allow: "all" },
    ]);
    const { client } = await startSession(atomicUploads(files, { user: "ben" }), { access });
    const listed = readNames(await client.ask(PacketType.READDIR, await client.opendir("/")));
    expect(listed.map(({ name }) => `${name}`).sort()).toEqual([".", ".."]);
    expect((await client.status(PacketType.STAT, "/.secret")).code).toBe(StatusCode.NO_SUCH_FILE);
  });

  it("by scp -O goes by the same", async () => {
    const { files, asked } = shared();
    const access = rules([{ path: "/box/**", allow: ["create"] }]);
    const options = { fileSystem: atomicUploads(files, { user: "ben" }), access };
    const sink = new SCPTestPeer("scp -t /box/new", options);
    expect(await sink.answer()).toBe("");
    expect(await sink.ask("C0644 5 new\n")).toBe("");
    files.writeFile("/box/new", "another's");
    expect(await sink.ask("ben's\0")).not.toBe("");
    sink.stream.end();
    await sink.server.closed;
    expect(content(files, "/box/new")).toBe("another's");
    expect(asked).toEqual([]);
  });
});

describe("what is refused", () => {
  it("is not told as an upload to any listener", async () => {
    const { audited, uploads, start } = shared("read");
    const session = await start("ben");
    for (const flags of [PUT, REPUT, WRITE, PUT | READ]) {
      for (const path of ["/box/new", "/box/theirs"])
        expect(await opening(session, path, flags)).toMatchObject(refused);
    }
    session.client.stream.end();
    await session.server.closed;
    expect(audited).toEqual([]);
    expect(uploads).toEqual([]);
  });

  it("is not read ahead of", async () => {
    const files = new DistantFiles();
    const access = rules([
      { path: "/open", allow: ["read"] },
      { path: "/closed", allow: ["overwrite", "create", "stat"] },
    ]);
    const session = await startSession(files, { access });
    expect(await opening(session, "/closed", READ)).toMatchObject(refused);
    expect(await opening(session, "/closed", READ | WRITE)).toMatchObject(refused);
    const handle = await session.client.open("/closed", WRITE);
    for (const position of [0n, 1n, 2n, 3n, 4n]) {
      expect((await session.client.status(PacketType.READ, handle, position, 1)).code).not.toBe(StatusCode.OK);
    }
    expect(files.read).toEqual([]);
    const readable = readHandle(await session.client.ask(PacketType.OPEN, "/open", READ, attributes()));
    for (const position of [0n, 1n, 2n, 3n]) await session.client.ask(PacketType.READ, readable, position, 1);
    expect(new Set(files.read)).toEqual(new Set(["/open"]));
  });
});

/** Files that are read slowly, so that they are read ahead of clients. */
class DistantFiles implements FileSystem {
  readonly read: string[] = [];

  lstat() {
    return { type: "file", size: 100, permissions: 0o644, accessTime: 0, modifyTime: 0 } as const;
  }

  open(path: string, _options: OpenOptions): FileHandle {
    return {
      read: async (buffer) => {
        this.read.push(path);
        return buffer.length;
      },
      write: () => {},
    };
  }
}
