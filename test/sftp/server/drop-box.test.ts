import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FileSystem } from "../../../src/files/file-system.js";
import { FOR_READING, FOR_REPLACING } from "../../../src/files/open-options.js";
import { joinPath } from "../../../src/files/path.js";
import { OpenFlag, PacketType, StatusCode } from "../../../src/sftp/codec/constants.js";
import {
  atomicUploads,
  audit,
  COMPLETED,
  LocalFileSystem,
  MemoryFileSystem,
  mount,
  quota,
  readOnly,
  rules,
} from "../../../src/sftp/index.js";
import { SCPTestPeer } from "../../scp/scp-peer.js";
import { extent } from "../../support/extent.js";
import type { SFTPPacketClient } from "../../support/sftp-client.js";
import { attributes, type Field, readHandle, readNames } from "../../support/sftp-packets.js";
import { temporaryFolder } from "../../support/tools.js";
import { startSession } from "./session.js";

const SECRET = "what ann has put into the box";
const THEIRS = ["/incoming/ann", "/incoming/dir/deep"];

/** Beside the box, where all others can do no more than to put files into it, they have a place of their own. */
const access = rules([
  { path: "/**/.hidden", hidden: true },
  { path: "/incoming", allow: ["stat"] },
  { path: "/incoming/**", allow: ["create"] },
  { path: "/own/**", allow: "all" },
]);

const folder = temporaryFolder();
const memory = () => new MemoryFileSystem();
const record = () => undefined;

const TREES: Readonly<Record<string, () => { served: FileSystem; base?: FileSystem }>> = {
  "in memory": () => ({ served: memory() }),
  "on the disk": () => ({ served: new LocalFileSystem(mkdtempSync(join(folder, "box-"))) }),
  audit: () => ({ served: audit(memory(), { record }) }),
  quota: () => ({ served: quota(memory(), { bytes: 1_000_000 }) }),
  "mount of one": () => ({ served: mount({ "/": memory() }) }),
  "mount of the box": () => ({ served: mount({ "/": memory(), "/incoming": memory() }) }),
  atomicUploads: () => {
    const base = memory();
    return { served: atomicUploads(base, { user: "ben" }), base };
  },
  "all together": () => {
    const base = quota(mount({ "/": memory(), "/own": memory() }), { bytes: 1_000_000 });
    return { served: audit(atomicUploads(base, { user: "ben" }), { record }), base };
  },
  readOnly: () => {
    const base = memory();
    return { served: readOnly(base), base };
  },
};

async function write(files: FileSystem, path: string, text: string): Promise<void> {
  const handle = await files.open?.(path, FOR_REPLACING);
  await handle?.write?.(Buffer.from(text), 0);
  await handle?.close?.(COMPLETED);
}

async function read(files: FileSystem, path: string): Promise<string> {
  const handle = await files.open?.(path, FOR_READING);
  const buffer = Buffer.alloc(1000);
  const length = (await handle?.read?.(buffer, 0)) ?? 0;
  await handle?.close?.(COMPLETED);
  return buffer.toString("latin1", 0, length);
}

/** A box with files of ann in it, as the one who serves it sees it. */
async function makeBox(name: string) {
  const { served, base = served } = TREES[name]?.() ?? expect.fail();
  for (const directory of ["/incoming", "/own", "/incoming/dir"]) {
    await Promise.resolve(base.mkdir?.(directory, 0o755)).catch(() => {});
  }
  for (const path of [...THEIRS, "/incoming/.hidden"]) await write(base, path, SECRET);
  const look = () => Promise.all(THEIRS.map(async (path) => [await read(base, path), await base.lstat?.(path)]));
  const before = await look();
  const check = async () => {
    // Nothing but reading, which is done here, changes the access time.
    const withoutAccess = (found: typeof before) =>
      found.map(([text, seen]) => [text, { ...(seen as object), accessTime: 0 }]);
    expect(withoutAccess(await look())).toEqual(withoutAccess(before));
    expect(await copies(base, "/")).toEqual([]);
  };
  return { served, check };
}

/** Files beside ann's that have what hers have. */
async function copies(files: FileSystem, directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, attributes: seen } of files.readdir?.(directory) ?? []) {
    const path = joinPath(directory, name);
    if (seen.type === "directory") found.push(...(await copies(files, path)));
    else if (seen.type === "file" && !THEIRS.includes(path) && !path.endsWith("/.hidden")) {
      if ((await read(files, path)).includes("ann")) found.push(path);
    }
  }
  return found;
}

const PATHS = [
  ...["/incoming/ann", "/incoming/ann", "/incoming/ann", "/incoming/dir/deep", "/incoming/dir", "/incoming", "/"],
  ...["/incoming/ann/", "/incoming//./ann", "/own/../incoming/ann", "/own/link/ann", "/own/link", "/incoming/ANN"],
  ...["/incoming/mine", "/own/mine", "/own/dir", "/own/dir/ann", "/own", "/incoming/.hidden", "incoming/ann"],
];
const TARGETS = ["/incoming/ann", "../incoming/ann", "/incoming", "..", "../incoming/dir", "/own/link"];
const EXTENSIONS = ["posix-rename@openssh.com", "hardlink@openssh.com"];
const CHANGES = [
  attributes({ size: 0n }),
  attributes({ permissions: 0o777 }),
  attributes({ times: [1, 2] }),
  attributes({ owner: [1, 1] }),
  attributes({ size: 3n, permissions: 0o666, times: [3, 4] }),
];

type Step = (client: SFTPPacketClient, handles: Buffer[]) => Promise<unknown>;

const aPath = fc.constantFrom(...PATHS);
const aChange = fc.constantFrom(...CHANGES);
const aHandle = fc.nat({ max: 5 });
const handleOf = (handles: readonly Buffer[], index: number) => handles[index % Math.max(1, handles.length)] ?? "none";

/** Every request that there is, with paths and handles of all kinds. */
const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(aPath, fc.integer({ min: 1, max: 0x3f })).map(opens) },
  fc.tuple(fc.constantFrom(PacketType.STAT, PacketType.LSTAT, PacketType.READLINK), aPath).map(asks),
  aPath.map(lists),
  fc.tuple(fc.constantFrom(PacketType.REMOVE, PacketType.RMDIR, PacketType.REALPATH), aPath).map(asks),
  fc.tuple(fc.constantFrom(PacketType.SETSTAT, PacketType.MKDIR), aPath, aChange).map(asks),
  { weight: 3, arbitrary: fc.tuple(fc.constant(PacketType.RENAME), aPath, aPath).map(asks) },
  fc.tuple(fc.constant(PacketType.SYMLINK), fc.constantFrom(...TARGETS), aPath).map(asks),
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...EXTENSIONS), aPath, aPath).map(asksExtended) },
  fc.tuple(fc.constant("lsetstat@openssh.com"), aPath, aChange).map(asksExtended),
  fc.tuple(fc.constant("statvfs@openssh.com"), aPath).map(asksExtended),
  fc.tuple(fc.constant("check-file-name"), aPath).map(([name, path]) => asksExtended([name, path, "md5", 0n, 0n, 0])),
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom("read", "write", "change", "hash", "close"), aHandle, aChange).map(uses),
  },
  fc.tuple(aHandle, aHandle).map(copiesData),
);

function opens([path, flags]: readonly [string, number]): Step {
  return async (client, handles) => {
    const reply = await client.ask(PacketType.OPEN, path, flags, attributes({ permissions: 0o777 }));
    if (reply.type === PacketType.HANDLE) handles.push(readHandle(reply));
  };
}

function lists(path: string): Step {
  return async (client) => {
    const reply = await client.ask(PacketType.OPENDIR, path);
    if (reply.type !== PacketType.HANDLE) return;
    const names = readNames(await client.ask(PacketType.READDIR, readHandle(reply))).map(({ name }) => `${name}`);
    expect(names).not.toContain("deep");
  };
}

function asks([type, ...fields]: readonly [number, ...Field[]]): Step {
  return (client) => client.ask(type, ...fields);
}

function asksExtended([name, ...fields]: readonly [string, ...Field[]]): Step {
  return (client) => client.askExtended(name, ...fields);
}

function uses([what, index, change]: readonly [string, number, Field]): Step {
  return (client, handles) => {
    const handle = handleOf(handles, index);
    switch (what) {
      case "read":
        return client.ask(PacketType.READ, handle, 0n, 1000);
      case "write":
        return client.ask(PacketType.WRITE, handle, 0n, "what ben writes");
      case "change":
        return client.ask(PacketType.FSETSTAT, handle, change);
      case "hash":
        return client.askExtended("check-file-handle", handle, "md5", 0n, 0n, 0);
      default:
        return client.ask(PacketType.CLOSE, handle);
    }
  };
}

function copiesData([from, to]: readonly [number, number]): Step {
  return (client, handles) =>
    client.askExtended("copy-data", handleOf(handles, from), 0n, 0n, handleOf(handles, to), 0n);
}

function checkReplies(client: SFTPPacketClient): void {
  const digest = createHash("md5").update(SECRET).digest();
  for (const { bytes } of client.replies) {
    expect(bytes.includes(SECRET)).toBe(false);
    expect(bytes.includes(digest)).toBe(false);
  }
}

describe.each(Object.keys(TREES))("files of others in the drop box, %s", (name) => {
  it("are what they were, and nobody has seen them, whatever is asked of SFTP", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 12 }), async (steps) => {
        const { served, check } = await makeBox(name);
        const { client } = await startSession(served, { access });
        const handles: Buffer[] = [];
        for (const step of steps) await step(client, handles);
        for (const handle of handles) await client.ask(PacketType.CLOSE, handle);
        checkReplies(client);
        await check();
        client.stream.destroy();
      }),
      { numRuns: extent(40, 1000) },
    );
  });

  it("are refused to each request by itself", async () => {
    const { served, check } = await makeBox(name);
    const { client } = await startSession(served, { access });
    const refusals: number[] = [];
    const ask = async (reply: Promise<{ readonly type: number; readonly body: Buffer }>) => {
      const { type, body } = await reply;
      refusals.push(type === PacketType.STATUS ? body.readUInt32BE(0) : StatusCode.OK);
    };
    for (const path of THEIRS) {
      for (let flags = 1; flags <= 0x3f; flags++) await ask(client.ask(PacketType.OPEN, path, flags, attributes()));
      const { STAT, LSTAT, SETSTAT, REMOVE, RMDIR, MKDIR, RENAME, READLINK, OPENDIR, SYMLINK } = PacketType;
      for (const type of [STAT, LSTAT, REMOVE, RMDIR, READLINK, OPENDIR]) await ask(client.ask(type, path));
      for (const change of CHANGES) {
        await ask(client.ask(SETSTAT, path, change));
        await ask(client.askExtended("lsetstat@openssh.com", path, change));
      }
      await ask(client.ask(MKDIR, path, attributes()));
      await ask(client.ask(SYMLINK, "/own/mine", path));
      for (const other of ["/incoming/new", "/own/new", path]) {
        await ask(client.ask(RENAME, path, other));
        for (const extension of EXTENSIONS) await ask(client.askExtended(extension, path, other));
        await ask(client.ask(RENAME, other, path));
        for (const extension of EXTENSIONS) await ask(client.askExtended(extension, other, path));
      }
      await ask(client.askExtended("check-file-name", path, "md5", 0n, 0n, 0));
    }
    expect(refusals.length).toBeGreaterThan(180);
    expect(refusals.filter((code) => code === StatusCode.OK)).toEqual([]);
    checkReplies(client);
    await check();
  });

  it.each(["", "-p", "-r", "-rp"])("are what they were, and nobody has seen them, over scp -O %s", async (flags) => {
    const { served, check } = await makeBox(name);
    const options = { fileSystem: served, access };
    for (const path of ["/incoming/ann", "/incoming/dir/deep", "/incoming/.hidden"]) {
      const sink = new SCPTestPeer(`scp -t ${flags} ${path}`, options);
      expect(await sink.answer()).toBe("");
      if (flags.includes("p")) expect(await sink.ask("T1 0 2 0\n")).toBe("");
      expect(await sink.ask("C0777 5 ann\n")).toMatch(/denied|No such file|read-only/i);
      if (flags.includes("r")) expect(await sink.ask("D0777 0 ann\n")).toMatch(/denied|No such file|Not a directory/);
      sink.stream.destroy();
    }
    for (const path of ["/incoming/ann", "/incoming/*", "/incoming/dir", "/incoming", "/own/../incoming/a?n"]) {
      const source = new SCPTestPeer(`scp -f ${flags} ${path}`, options);
      source.send(Buffer.alloc(20));
      source.stream.end();
      const sent = await source.read(1_000_000);
      expect(sent.includes(SECRET)).toBe(false);
      expect(sent.toString()).toMatch(/denied|not a regular file|D0755 0 incoming/);
      await source.server.closed;
    }
    await check();
  });
});

describe("the drop box", () => {
  it("takes files all the same", async () => {
    const { served } = await makeBox("all together");
    const { client } = await startSession(served, { access });
    const { CREAT, EXCL, TRUNC, WRITE } = OpenFlag;
    for (const [place, flags] of [WRITE | CREAT, WRITE | CREAT | TRUNC, WRITE | CREAT | EXCL].entries()) {
      const handle = await client.open(`/incoming/new-${place}`, flags, attributes({ permissions: 0o640 }));
      expect((await client.status(PacketType.WRITE, handle, 0n, "ben's")).code).toBe(StatusCode.OK);
      expect((await client.close(handle)).code).toBe(StatusCode.OK);
    }
    const sink = new SCPTestPeer("scp -t /incoming", { fileSystem: served, access });
    expect(await sink.answer()).toBe("");
    expect(await sink.ask("C0644 5 by-scp\n")).toBe("");
    expect(await sink.ask("ben's\0")).toBe("");
    sink.stream.end();
    await sink.server.closed;
    for (const path of ["/incoming/new-0", "/incoming/new-1", "/incoming/new-2", "/incoming/by-scp"]) {
      expect(await read(served, path)).toBe("ben's");
    }
  });

  it("takes an upload anew that broke off, from the one who has begun it", async () => {
    const files = memory();
    files.mkdir("/incoming", 0o755);
    const { CREAT, TRUNC, WRITE } = OpenFlag;
    const put = async (user: string, end: "close" | "break off") => {
      const { client, server } = await startSession(atomicUploads(files, { user }), { access });
      const reply = await client.ask(PacketType.OPEN, "/incoming/new", WRITE | CREAT | TRUNC, attributes());
      if (reply.type !== PacketType.HANDLE) return "refused";
      const handle = readHandle(reply);
      await client.status(PacketType.WRITE, handle, 0n, `${user}'s`);
      if (end === "close") expect((await client.close(handle)).code).toBe(StatusCode.OK);
      client.stream.destroy();
      await server.closed;
      return "taken";
    };
    expect(await put("ben", "break off")).toBe("taken");
    expect(() => files.lstat("/incoming/new")).toThrow("No such file");
    expect(await put("ben", "break off")).toBe("taken");
    expect(await put("ben", "close")).toBe("taken");
    expect(files.readFile("/incoming/new").toString()).toBe("ben's");
    for (const user of ["ben", "cid"]) expect(await put(user, "close")).toBe("refused");
    expect(files.readFile("/incoming/new").toString()).toBe("ben's");
  });

  it("keeps the first of two uploads to one name that were under way together", async () => {
    const files = memory();
    files.mkdir("/incoming", 0o755);
    const clients = await Promise.all(
      ["ben", "cid"].map(async (user) => (await startSession(atomicUploads(files, { user }), { access })).client),
    );
    const { CREAT, TRUNC, WRITE } = OpenFlag;
    const handles: Buffer[] = [];
    for (const [place, client] of clients.entries()) {
      const handle = await client.open("/incoming/new", WRITE | CREAT | TRUNC);
      await client.status(PacketType.WRITE, handle, 0n, `of ${place}`);
      handles.push(handle);
    }
    const codes: StatusCode[] = [];
    for (const [place, client] of clients.entries()) {
      codes.push((await client.close(handles[place] ?? expect.fail())).code);
    }
    expect(codes).toEqual([StatusCode.OK, StatusCode.FAILURE]);
    expect(files.readFile("/incoming/new").toString()).toBe("of 0");
  });

  it("lets no user who may only make and append put an upload in the place of another's by going on with it", async () => {
    const files = memory();
    files.mkdir("/incoming", 0o755);
    const mayAppend = rules([{ path: "/incoming/**", allow: ["create", "append"] }]);
    const { APPEND, CREAT, TRUNC, WRITE } = OpenFlag;
    const start = (user: string) => startSession(atomicUploads(files, { user }), { access: mayAppend });
    const leave = async (path: string) => {
      const { client, server } = await start("ben");
      const handle = await client.open(path, WRITE | CREAT | TRUNC);
      await client.status(PacketType.WRITE, handle, 0n, "ben");
      client.stream.destroy();
      await server.closed;
    };
    for (const path of ["/incoming/alone", "/incoming/early", "/incoming/late"]) await leave(path);
    files.writeFile("/incoming/early", "ann's");
    const { client } = await start("ben");
    const end = async (path: string) => {
      const handle = await client.open(path, WRITE | APPEND | CREAT);
      expect((await client.status(PacketType.WRITE, handle, 0n, "'s")).code).toBe(StatusCode.OK);
      if (path.endsWith("late")) files.writeFile(path, "ann's");
      return (await client.close(handle)).code;
    };
    expect(await end("/incoming/alone")).toBe(StatusCode.OK);
    expect(await end("/incoming/early")).toBe(StatusCode.FAILURE);
    expect(await end("/incoming/late")).toBe(StatusCode.FAILURE);
    const contents = ["alone", "early", "late"].map((name) => files.readFile(`/incoming/${name}`).toString());
    expect(contents).toEqual(["ben's", "ann's", "ann's"]);
  });
});
