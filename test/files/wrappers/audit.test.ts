import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { FileError, LinkInPathError } from "../../../src/files/errors.js";
import { COMPLETED } from "../../../src/files/file-outcome.js";
import type { FileSystem } from "../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { readBytes } from "../../../src/files/read-bytes.js";
import { countRead, readToHash, uncounted } from "../../../src/files/uncounted-reads.js";
import { audit } from "../../../src/files/wrappers/audit.js";
import type { AuditEvent } from "../../../src/files/wrappers/audit-event.js";
import { call } from "../../../src/files/wrappers/methods.js";
import { mount } from "../../../src/files/wrappers/mount.js";
import { quota } from "../../../src/files/wrappers/quota.js";
import { readOnly } from "../../../src/files/wrappers/read-only.js";
import { SFTPServer } from "../../../src/sftp/server/sftp-server.js";
import { Drive, type OpenFile, openOptions } from "../conformance/drive.js";
import { describeFileSystem } from "../conformance.js";

function audited(fileSystem: FileSystem, user?: string) {
  const events: AuditEvent[] = [];
  const record = (event: AuditEvent) => {
    events.push(event);
  };
  return { events, drive: new Drive(audit(fileSystem, { user, record })) };
}

function withFiles() {
  const files = MemoryFileSystem.from({ "/a.txt": "hello", "/d/b.txt": "", "/d/c.txt": "" });
  return { files, ...audited(files, "alice") };
}

describeFileSystem("audit of a mount at the root", async () => ({
  fileSystem: audit(mount({ "/": new MemoryFileSystem() }), { user: "alice", record: () => undefined }),
}));

describe("audit", () => {
  it("records which user opened which file how, and when it is closed how much was read and written", async () => {
    const { drive, events, files } = withFiles();
    const before = Date.now();
    const file = await drive.open("/a.txt", "read write");
    expect(events).toEqual([
      {
        operation: "open",
        path: "/a.txt",
        options: openOptions("read write"),
        file: 1,
        user: "alice",
        result: "OK",
        time: expect.any(Date),
        duration: expect.any(Number),
      },
    ]);
    await file.read(3, 0);
    await file.read(100, 2);
    await file.read(100, 5);
    await file.write("0123456789", 5);
    await file.write("ab", 0);
    expect(events).toHaveLength(1);
    await file.close();
    expect(events[1]).toEqual({
      operation: "close",
      path: "/a.txt",
      file: 1,
      kind: "upload",
      bytesRead: 6,
      bytesWritten: 12,
      size: 15,
      outcome: COMPLETED,
      user: "alice",
      result: "OK",
      time: events[0]?.time,
      duration: expect.any(Number),
    });
    expect(files.readFile("/a.txt").toString()).toBe("abllo0123456789");
    const [opened, closed] = events;
    expect(opened?.time.getTime()).toBeGreaterThanOrEqual(before);
    expect(opened?.time.getTime()).toBeLessThanOrEqual(Date.now());
    expect(opened?.duration).toBeGreaterThanOrEqual(0);
    expect(closed?.duration).toBeGreaterThan(opened?.duration ?? Number.POSITIVE_INFINITY);
  });

  it("tells uploads, downloads and hashes apart, were they of empty files, and how large a file is at its end", async () => {
    const { files, drive, events } = withFiles();
    const ends: unknown[] = [];
    const end = async (file: OpenFile) => {
      await file.close();
      const event = events.at(-1);
      if (event?.operation === "close") ends.push([event.kind, event.bytesRead, event.bytesWritten, event.size]);
    };
    const hash = (file: OpenFile) => readToHash(file.handle, Buffer.alloc(100), 0);
    for (const path of ["/a.txt", "/d/b.txt"]) {
      const hashed = await drive.open(path, "read");
      await hash(hashed);
      await end(hashed);
      const both = await drive.open(path, "read");
      await hash(both);
      await both.read(3, 0);
      await end(both);
    }
    await end(await drive.open("/d/new", "write create"));
    const more = await drive.open("/a.txt", "write");
    await more.write("!", 5);
    await end(more);
    expect(ends).toEqual([
      ...[
        ["hash", 5, 0, 5],
        ["download", 8, 0, 5],
        ["hash", 0, 0, 0],
        ["hash", 0, 0, 0],
      ],
      ...[
        ["upload", 0, 0, 0],
        ["upload", 0, 1, 6],
      ],
    ]);
    const withoutStat: FileSystem = { open: () => ({ read: () => 0 }), lstat: (path) => files.lstat(path) };
    const unknown = audited(withoutStat);
    await (await unknown.drive.open("/a.txt", "read")).close();
    expect(unknown.events[1]).not.toHaveProperty("size");
  });

  describe("of what a server reads ahead of its client", () => {
    const content = "0123456789";

    it.each<[how: string, wrap: (fileSystem: FileSystem) => FileSystem]>([
      ["alone", (fileSystem) => fileSystem],
      ["in a mount", (fileSystem) => mount({ "/": fileSystem })],
      ["read only", readOnly],
      ["with a quota", (fileSystem) => quota(fileSystem, { bytes: 100 })],
      ["with all of them", (fileSystem) => quota(readOnly(mount({ "/": fileSystem })), { bytes: 100 })],
    ])("counts what the client got of it: %s", async (_, wrap) => {
      const inner: AuditEvent[] = [];
      const record = (event: AuditEvent) => {
        inner.push(event);
      };
      const { drive, events } = audited(audit(MemoryFileSystem.from({ "/a": content }), { record }));
      const handle = await call(wrap(drive.fileSystem), "open", "/a", openOptions("read"));
      const buffer = Buffer.alloc(4);
      expect(await readBytes(uncounted(handle), buffer, 0)).toBe(4);
      expect(await readBytes(uncounted(handle), buffer, 8)).toBe(2);
      countRead(handle, 4);
      expect(buffer.toString()).toBe("8923");
      expect(await readBytes(handle, buffer, 5)).toBe(4);
      await handle.close?.(COMPLETED);
      for (const recorded of [events, inner]) {
        expect(recorded[1]).toMatchObject({ operation: "close", bytesRead: 8, result: "OK" });
      }
    });

    it("records no failure that the client does not hear of", async () => {
      const read = () => Promise.reject(new FileError("EIO"));
      const { drive, events } = audited({ open: () => ({ read }) });
      const { handle } = await drive.open("/a", "read");
      await expect(readBytes(uncounted(handle), Buffer.alloc(1), 0)).rejects.toThrow(FileError);
      await handle.close?.(COMPLETED);
      expect(events[1]).toMatchObject({ operation: "close", bytesRead: 0, result: "OK" });
    });

    it("goes around nobody who reads in a way of their own", async () => {
      const { drive } = withFiles();
      const { handle } = await drive.open("/a.txt", "read");
      const mine = { ...handle, read: (buffer: Buffer) => buffer.write("mine") };
      const buffer = Buffer.alloc(4);
      expect(await readBytes(uncounted(mine), buffer, 0)).toBe(4);
      expect(buffer.toString()).toBe("mine");
    });

    it("is asked of the file system, which may answer at once", async () => {
      const { drive } = withFiles();
      const { handle } = await drive.open("/a.txt", "read");
      expect(handle.read?.(Buffer.alloc(4), 0)).toBe(4);
    });
  });

  it("tells opened files apart", async () => {
    const { drive, events } = withFiles();
    const first = await drive.open("/a.txt", "read");
    const second = await drive.open("/a.txt", "read");
    await second.read(2, 0);
    await second.close();
    await first.close();
    const summary = events.map((event) =>
      event.operation === "close" ? ["close", event.file, event.bytesRead] : [event.operation],
    );
    expect(summary).toEqual([["open"], ["open"], ["close", 2, 2], ["close", 1, 0]]);
  });

  it("records that a file is closed whose client is gone", async () => {
    const events: AuditEvent[] = [];
    const record = (event: AuditEvent) => {
      events.push(event);
    };
    const stream = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => {
        done();
        if (events.length === 1) stream.destroy();
      },
    });
    const server = new SFTPServer(stream, {
      fileSystem: audit(MemoryFileSystem.from({ "/a": "a" }), { record }),
      logger: false,
    });
    stream.push(Buffer.from("00000005" + "0100000003", "hex"));
    stream.push(Buffer.from("00000013" + "0300000001" + "000000022f61" + "00000001" + "00000000", "hex"));
    await server.closed;
    expect(events).toMatchObject([
      { operation: "open", path: "/a", file: 1 },
      {
        operation: "close",
        bytesRead: 0,
        result: "ABORTED",
        outcome: { result: "aborted", reason: "client gone" },
      },
    ]);
  });

  it("records changes with all that they are made of", async () => {
    const { drive, events } = withFiles();
    const changes = { permissions: 0o600 };
    await drive.mkdir("/new", 0o750);
    await drive.rename("/a.txt", "/b.txt");
    await drive.posixRename("/b.txt", "/d/b.txt");
    await drive.hardlink("/d/b.txt", "/new/b.txt");
    await drive.symlink("../d", "/new/link");
    await drive.setstat("/d/b.txt", changes);
    await drive.remove("/new/link");
    await drive.remove("/new/b.txt");
    await drive.rmdir("/new");
    const circumstances = { user: "alice", result: "OK", time: expect.any(Date), duration: expect.any(Number) };
    expect(events).toEqual(
      [
        { operation: "mkdir", path: "/new", permissions: 0o750 },
        { operation: "rename", path: "/a.txt", newPath: "/b.txt" },
        { operation: "posixRename", path: "/b.txt", newPath: "/d/b.txt" },
        { operation: "hardlink", path: "/d/b.txt", newPath: "/new/b.txt" },
        { operation: "symlink", path: "/new/link", target: "../d" },
        { operation: "setstat", path: "/d/b.txt", changes },
        { operation: "remove", path: "/new/link" },
        { operation: "remove", path: "/new/b.txt" },
        { operation: "rmdir", path: "/new" },
      ].map((details) => ({ ...details, ...circumstances })),
    );
  });

  it("records changes to an open file", async () => {
    const { drive, events, files } = withFiles();
    const { handle } = await drive.open("/a.txt", "read write");
    await handle.setstat?.({ size: 2 });
    expect(events[1]).toMatchObject({ operation: "setstat", path: "/a.txt", file: 1, changes: { size: 2 } });
    expect(files.readFile("/a.txt").toString()).toBe("he");
  });

  it("does not record looking at attributes, links and free room", async () => {
    const { drive, events, files } = withFiles();
    files.symlink("a.txt", "/link");
    expect(await drive.lstat("/a.txt")).toEqual(files.lstat("/a.txt"));
    expect(await drive.readlink("/link")).toBe("a.txt");
    await drive.statvfs("/");
    expect(events).toEqual([]);
  });

  it("leaves out the user where there is none", async () => {
    const { drive, events } = audited(new MemoryFileSystem());
    await drive.mkdir("/x");
    expect(events).toHaveLength(1);
    expect(events[0]).not.toHaveProperty("user");
  });

  describe("of a listing", () => {
    it("records how many entries were read when it ends", async () => {
      const { drive, events } = withFiles();
      expect(await drive.list("/d")).toEqual(["b.txt", "c.txt"]);
      expect(events).toMatchObject([{ operation: "readdir", path: "/d", entries: 2, result: "OK" }]);
    });

    it("records when it is broken off, and breaks off the one behind", async () => {
      let closed = false;
      async function* endless() {
        try {
          for (;;) yield { name: "x", attributes: new MemoryFileSystem().lstat("/") };
        } finally {
          closed = true;
        }
      }
      const { drive, events } = audited({ readdir: endless });
      for await (const { name } of drive.fileSystem.readdir?.("/") ?? []) {
        expect(name).toBe("x");
        if (events.length === 0) break;
      }
      expect(closed).toBe(true);
      expect(events).toMatchObject([{ operation: "readdir", entries: 1, result: "OK" }]);
    });

    it("records that it failed", async () => {
      const { drive, events } = withFiles();
      await expect(drive.list("/none")).rejects.toThrow("No such file");
      expect(events).toMatchObject([{ operation: "readdir", path: "/none", entries: 0, result: "ENOENT" }]);
    });
  });

  describe("of a failure", () => {
    it("records its code and, for the server's own log, the error", async () => {
      const { drive, events } = withFiles();
      await expect(drive.remove("/none")).rejects.toThrow("No such file");
      await expect(drive.open("/none", "read")).rejects.toThrow("No such file");
      await expect(drive.rmdir("/d")).rejects.toThrow("not empty");
      expect(events.map(({ operation, result }) => [operation, result])).toEqual([
        ["remove", "ENOENT"],
        ["open", "ENOENT"],
        ["rmdir", "ENOTEMPTY"],
      ]);
      for (const { error } of events) expect(error).toBeInstanceOf(FileError);
    });

    it("records what the client does not hear of", async () => {
      const reason = new Error("connection to the database lost");
      const { drive, events } = audited({ mkdir: () => Promise.reject(reason) });
      await expect(drive.mkdir("/x")).rejects.toBe(reason);
      expect(events).toMatchObject([{ operation: "mkdir", result: "EIO", error: reason }]);
    });

    it("records no success for a file where a read or write failed", async () => {
      const { drive, events } = audited(new MemoryFileSystem({ quota: 8 * 1024 }));
      const file = await drive.open("/big", "write create");
      await file.write("12345", 0);
      await expect(file.write(Buffer.alloc(100_000), 5)).rejects.toThrow("No space left");
      await expect(file.read(1, 0)).rejects.toThrow("Bad file descriptor");
      await file.write("6", 5);
      await file.close();
      expect(events[1]).toMatchObject({
        operation: "close",
        bytesWritten: 6,
        result: "ENOSPC",
        error: new FileError("ENOSPC"),
      });
    });

    it("records that closing failed", async () => {
      const close = () => Promise.reject(new FileError("EIO"));
      const { drive, events } = audited({ open: () => ({ close }) });
      const { handle } = await drive.open("/x", "write");
      await expect(handle.close?.(COMPLETED)).rejects.toThrow("Input/output error");
      expect(events[1]).toMatchObject({ operation: "close", result: "EIO", error: new FileError("EIO") });
    });
  });

  it("does not record that a link is in the way: the server asks again", async () => {
    const { drive, events, files } = withFiles();
    files.symlink("d", "/link");
    await expect(drive.open("/link/b.txt", "read")).rejects.toThrow(LinkInPathError);
    await expect(drive.list("/link")).rejects.toThrow(LinkInPathError);
    expect(events).toEqual([]);
  });

  describe("that cannot be recorded", () => {
    const diskFull = Object.assign(new Error("/var/log: no space left"), { code: "ENOSPC" });

    it.each(["throws", "rejects"])(
      "makes the operation fail when the record %s, in a way that is logged",
      async (how) => {
        const files = new MemoryFileSystem();
        const record = (): Promise<void> => {
          if (how === "throws") throw diskFull;
          return Promise.reject(diskFull);
        };
        const drive = new Drive(audit(files, { record }));
        const failure = await drive.mkdir("/x").catch((error: unknown) => error);
        expect(failure).toMatchObject({ message: "An audit event could not be recorded", cause: diskFull });
        expect(failure).not.toHaveProperty("code");
        await expect(drive.list("/")).rejects.toThrow("could not be recorded");
      },
    );

    it("leaves no file open", async () => {
      let closed = 0;
      const files: FileSystem = {
        open: () => ({
          close: () => {
            closed++;
            throw new FileError("EIO");
          },
        }),
      };
      const record = () => Promise.reject(diskFull);
      await expect(new Drive(audit(files, { record })).open("/x", "read")).rejects.toThrow("could not be recorded");
      expect(closed).toBe(1);
    });

    it("closes the file all the same", async () => {
      let closed = 0;
      const files: FileSystem = {
        open: () => ({
          close: () => {
            closed++;
          },
        }),
      };
      const record = ({ operation }: AuditEvent) => {
        if (operation === "close") throw diskFull;
      };
      const { handle } = await new Drive(audit(files, { record })).open("/x", "read");
      await expect(handle.close?.(COMPLETED)).rejects.toThrow("could not be recorded");
      expect(closed).toBe(1);
    });

    it("is not answered before the record is made", async () => {
      const files = new MemoryFileSystem();
      const order: string[] = [];
      let recorded = () => {};
      const record = () => new Promise<void>((resolve) => (recorded = resolve));
      const done = new Drive(audit(files, { record })).mkdir("/x").then(() => order.push("answered"));
      await new Promise((resolve) => setImmediate(resolve));
      expect(files.lstat("/x").type).toBe("directory");
      order.push("recorded");
      recorded();
      await done;
      expect(order).toEqual(["recorded", "answered"]);
    });
  });

  it("has the methods of the file system and of its handles, and no others", async () => {
    const { drive } = audited({ open: () => ({ identity: "1", read: () => 0 }), userNames: () => ["root"] });
    expect(Object.keys(drive.fileSystem).sort()).toEqual(["open", "userNames"]);
    const { handle } = await drive.open("/x", "read");
    expect(Object.keys(handle).sort()).toEqual(["close", "identity", "read"]);
    expect(handle.identity).toBe("1");
    await handle.close?.(COMPLETED);
  });

  describe("together with mount", () => {
    it("tells the paths that the client uses, around it", async () => {
      const { drive, events } = audited(
        mount({ "/docs": MemoryFileSystem.from({ "/a": "a" }), "/pub": new MemoryFileSystem() }),
      );
      await drive.read("/docs/a");
      await expect(drive.rename("/docs/a", "/pub/a")).rejects.toThrow("cross-device");
      await expect(drive.mkdir("/new")).rejects.toThrow("Read-only");
      expect(events).toMatchObject([
        { operation: "open", path: "/docs/a" },
        { operation: "close", path: "/docs/a", bytesRead: 1 },
        { operation: "rename", path: "/docs/a", newPath: "/pub/a", result: "EXDEV" },
        { operation: "mkdir", path: "/new", result: "EROFS" },
      ]);
    });

    it("tells the paths of one tree, inside it", async () => {
      const { drive, events } = audited(MemoryFileSystem.from({ "/a": "a" }));
      const whole = new Drive(mount({ "/docs": drive.fileSystem, "/other": MemoryFileSystem.from({ "/b": "b" }) }));
      await whole.read("/docs/a");
      await whole.read("/other/b");
      expect(events.map(({ operation, path }) => [operation, path])).toEqual([
        ["open", "/a"],
        ["close", "/a"],
      ]);
    });
  });
});
