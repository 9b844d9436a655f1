import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { FileError } from "../../../src/files/errors.js";
import type { FileHandle, FileSystem } from "../../../src/files/file-system.js";
import { audit } from "../../../src/files/wrappers/audit.js";
import type { AuditEvent } from "../../../src/files/wrappers/audit-event.js";
import { mount } from "../../../src/files/wrappers/mount.js";
import { quota } from "../../../src/files/wrappers/quota.js";
import { readOnly } from "../../../src/files/wrappers/read-only.js";
import { OpenFlag, PacketType, StatusCode } from "../../../src/sftp/codec/constants.js";
import type { TransferEvent } from "../../../src/sftp/index.js";
import { Deferred } from "../../attack/deferred.js";
import type { SFTPPacketClient } from "../../support/sftp-client.js";
import { attributes, request } from "../../support/sftp-packets.js";
import { ToldOutcomes } from "../../support/told-outcomes.js";
import { startSession, type TestSessionOptions } from "./session.js";

const { WRITE, CREAT, TRUNC, READ, APPEND } = OpenFlag;
const data = Buffer.from("some bytes");

async function served(wrap: (files: ToldOutcomes) => FileSystem = (files) => files, options: TestSessionOptions = {}) {
  const files = new ToldOutcomes();
  files.writeFile("/old", "0123456789");
  files.told.length = 0;
  const events: (TransferEvent & { kind: string })[] = [];
  const session = await startSession(wrap(files), {
    onUpload: (event) => void events.push({ ...event, kind: "upload" }),
    onDownload: (event) => void events.push({ ...event, kind: "download" }),
    ...options,
  });
  return { ...session, files, events };
}

describe("a file is completed", () => {
  it("when the client closes it", async () => {
    const { client, files, events } = await served();
    const handle = await client.open("/new", WRITE | CREAT | TRUNC);
    await client.status(PacketType.WRITE, handle, 0n, data);
    expect(files.told).toEqual([]);
    await client.close(handle);
    expect(files.told).toEqual([{ path: "/new", by: "close", outcome: { result: "completed" } }]);
    expect(events).toEqual([
      {
        kind: "upload",
        outcome: { result: "completed" },
        path: "/new",
        bytes: data.length,
        size: data.length,
        durationMilliseconds: expect.any(Number),
        user: undefined,
        connection: undefined,
      },
    ]);
  });

  it("once, however often the client closes it", async () => {
    const { client, server, files, events } = await served();
    const handle = await client.open("/new", WRITE | CREAT);
    await client.close(handle);
    expect(await client.close(handle)).toMatchObject({ code: StatusCode.FAILURE });
    client.stream.end();
    await server.closed;
    expect(files.told).toHaveLength(1);
    expect(events).toMatchObject([{ kind: "upload", bytes: 0, outcome: { result: "completed" } }]);
  });

  it("though its size was not set, where it has this size", async () => {
    const { client, files } = await served();
    files.methods = { setstat: () => Promise.reject(new FileError("ENOTSUP")) };
    const handle = await client.open("/new", WRITE | CREAT);
    await client.status(PacketType.WRITE, handle, 0n, data);
    const changes = attributes({ size: BigInt(data.length), times: [1, 2] });
    expect(await client.status(PacketType.FSETSTAT, handle, changes)).toMatchObject({
      code: StatusCode.OP_UNSUPPORTED,
    });
    expect(await client.close(handle)).toMatchObject({ code: StatusCode.OK });
    expect(files.told).toMatchObject([{ by: "close", outcome: { result: "completed" } }]);
  });

  it("though only a read has failed", async () => {
    const { client, files } = await served();
    files.methods = { read: () => Promise.reject(new FileError("EIO")) };
    const handle = await client.open("/old");
    await client.status(PacketType.READ, handle, 0n, 4);
    expect(await client.close(handle)).toMatchObject({ code: StatusCode.OK });
    expect(files.told).toMatchObject([{ by: "abort", outcome: { reason: "error" } }]);
  });

  it("without attributes that could not be set", async () => {
    const { client, files } = await served();
    files.methods = {
      setstat: ({ size }) => (size === undefined ? Promise.reject(new FileError("EPERM")) : undefined),
    };
    const handle = await client.open("/new", WRITE | CREAT);
    const changes = attributes({ size: 3n, permissions: 0o600 });
    expect(await client.status(PacketType.FSETSTAT, handle, changes)).toMatchObject({
      code: StatusCode.PERMISSION_DENIED,
    });
    expect(await client.close(handle)).toMatchObject({ code: StatusCode.OK });
    expect(files.told).toMatchObject([{ by: "close", outcome: { result: "completed" } }]);
  });
});

describe("a file is aborted", () => {
  const uploading = async (wrap?: (files: ToldOutcomes) => FileSystem) => {
    const session = await served(wrap);
    const handle = await session.client.open("/new", WRITE | CREAT | TRUNC);
    await session.client.status(PacketType.WRITE, handle, 0n, data);
    return { ...session, handle };
  };

  it("when the connection is lost", async () => {
    const { client, server, files, events } = await uploading();
    client.stream.destroy();
    await server.closed;
    const outcome = { result: "aborted", reason: "client gone" };
    expect(files.told).toMatchObject([{ path: "/new", by: "abort", outcome }]);
    expect(events).toMatchObject([{ kind: "upload", path: "/new", bytes: data.length, outcome }]);
  });

  it("when the client ends the session without closing it", async () => {
    const { client, server, files } = await uploading();
    client.stream.end();
    await server.closed;
    expect(files.told).toMatchObject([{ by: "abort", outcome: { reason: "client gone" } }]);
  });

  it("when the client breaks the protocol", async () => {
    const { client, server, files } = await uploading();
    client.send(Buffer.from("ffffffff00", "hex"));
    await server.closed;
    expect(files.told).toMatchObject([{ by: "abort", outcome: { reason: "session ended", error: expect.any(Error) } }]);
  });

  it("when the client closes it and goes before what it wrote is written", async () => {
    const { client, server, files, events } = await served();
    const written = new Deferred<void>();
    const writing = new Deferred<void>();
    files.methods = {
      write() {
        writing.resolve();
        return written.promise;
      },
    };
    const handle = await client.open("/new", WRITE | CREAT | TRUNC);
    const writes = [request(PacketType.WRITE, 90, handle, 0n, data), request(PacketType.WRITE, 91, handle, 5n, data)];
    client.send(Buffer.concat([...writes, request(PacketType.CLOSE, 92, handle)]));
    await writing.promise;
    client.stream.destroy();
    await once(server.channel, "close");
    written.resolve();
    await server.closed;
    expect(files.told).toMatchObject([{ by: "abort", outcome: { reason: "client gone" } }]);
    expect(events).toHaveLength(1);
  });

  it.each<[string, (client: SFTPPacketClient, handle: Buffer) => Promise<unknown>]>([
    ["write", (client, handle) => client.status(PacketType.WRITE, handle, 0n, data)],
    ["setstat", (client, handle) => client.status(PacketType.FSETSTAT, handle, attributes({ size: 3n }))],
    ["fsync", (client, handle) => client.extendedStatus("fsync@openssh.com", handle)],
  ])("when a %s of it has failed, though the client closes it", async (method, ask) => {
    const { client, files, events } = await served();
    const error = new FileError("ENOSPC");
    const fail = () => {
      throw error;
    };
    files.methods = { [method]: fail };
    const handle = await client.open("/new", WRITE | CREAT | TRUNC);
    await ask(client, handle);
    files.methods = {};
    await client.status(PacketType.WRITE, handle, 0n, data);
    // A client that has not looked at the other answers is told, too.
    expect(await client.close(handle)).toMatchObject({ code: StatusCode.FAILURE, message: "No space left on device" });
    const outcome = { result: "aborted", reason: "error", error };
    expect(files.told).toEqual([{ path: "/new", by: "abort", outcome }]);
    expect(events).toMatchObject([{ outcome }]);
  });

  it("when it is beyond the quota", async () => {
    const { client, files } = await served((inner) => quota(inner, { bytes: 15 }));
    const handle = await client.open("/new", WRITE | CREAT | TRUNC);
    await client.status(PacketType.WRITE, handle, 0n, data);
    await client.close(handle);
    expect(files.told.at(-1)).toMatchObject({ by: "abort", outcome: { reason: "error", error: { code: "EDQUOT" } } });
  });

  it("when it cannot be closed, as far as the events are concerned", async () => {
    const { client, files, events } = await served();
    files.methods = { close: () => Promise.reject(new FileError("EIO")) };
    const handle = await client.open("/new", WRITE | CREAT | TRUNC);
    expect(await client.close(handle)).toMatchObject({ code: StatusCode.FAILURE });
    expect(events).toMatchObject([{ outcome: { result: "aborted", reason: "error", error: { code: "EIO" } } }]);
  });

  it("by close where the handle has no abort, under every wrapper", async () => {
    const told: unknown[] = [];
    const close = (outcome: unknown) => void told.push(outcome);
    const records: AuditEvent[] = [];
    const files = { open: () => ({ read: () => 0, close }), lstat: () => new ToldOutcomes().lstat("/") };
    const wrapped = mount({ "/": readOnly(audit(files, { record: (event) => void records.push(event) })) });
    const { client, server } = await startSession(wrapped);
    await client.open("/a");
    client.stream.destroy();
    await server.closed;
    expect(told).toMatchObject([{ result: "aborted", reason: "client gone" }]);
    expect(records.at(-1)).toMatchObject({ operation: "close", result: "ABORTED" });
  });

  it("by abort under every wrapper, and the audit tells it", async () => {
    const records: AuditEvent[] = [];
    const record = (event: AuditEvent) => void records.push(event);
    const { client, server, files } = await uploading((inner) =>
      mount({ "/": quota(audit(inner, { record }), { bytes: 1000 }) }),
    );
    client.stream.destroy();
    await server.closed;
    const outcome = { result: "aborted", reason: "client gone" };
    expect(files.told).toMatchObject([{ by: "abort", outcome }]);
    expect(records.filter(({ operation }) => operation === "close")).toMatchObject([
      { path: "/new", bytesWritten: data.length, result: "ABORTED", outcome },
    ]);
  });

  it("with the code of the failure in the audit, were it one of a wrapper outside", async () => {
    const records: AuditEvent[] = [];
    const { client } = await served((inner) =>
      quota(audit(inner, { record: (event) => void records.push(event) }), { bytes: 15 }),
    );
    const handle = await client.open("/new", WRITE | CREAT | TRUNC);
    await client.status(PacketType.WRITE, handle, 0n, data);
    await client.close(handle);
    expect(records.at(-1)).toMatchObject({ operation: "close", result: "EDQUOT", outcome: { reason: "error" } });
  });
});

describe("the events of transfers", () => {
  it("tell of downloads, with the bytes that were read", async () => {
    const { client, events } = await served();
    const handle = await client.open("/old");
    await client.ask(PacketType.READ, handle, 0n, 4);
    await client.close(handle);
    expect(events).toMatchObject([{ kind: "download", path: "/old", bytes: 4, outcome: { result: "completed" } }]);
  });

  it("tell how large the whole file is at its end, where its handle tells", async () => {
    const { client, files, events } = await served();
    const more = await client.open("/old", WRITE | APPEND);
    await client.status(PacketType.WRITE, more, 0n, data);
    await client.close(more);
    const part = await client.open("/old");
    await client.ask(PacketType.READ, part, 0n, 4);
    await client.close(part);
    for (const stat of [undefined, () => Promise.reject(new FileError("EIO"))]) {
      files.methods = { stat } as Partial<FileHandle>;
      const silent = await client.open("/old");
      await client.ask(PacketType.READ, silent, 0n, 4);
      expect(await client.close(silent)).toMatchObject({ code: StatusCode.OK });
    }
    expect(events.map(({ kind, bytes, size }) => [kind, bytes, size])).toEqual([
      ["upload", 10, 20],
      ["download", 4, 20],
      ["download", 4, undefined],
      ["download", 4, undefined],
    ]);
  });

  it("tell both of a file that was read and written, and nothing of one that was only opened", async () => {
    const { client, events } = await served();
    await client.close(await client.open("/old"));
    await client.close(await client.open("/old", READ | WRITE));
    expect(events).toEqual([]);
    const handle = await client.open("/old", READ | WRITE | APPEND);
    await client.status(PacketType.WRITE, handle, 0n, data);
    await client.ask(PacketType.READ, handle, 0n, 100);
    await client.close(handle);
    expect(events).toMatchObject([
      { kind: "upload", bytes: 10 },
      { kind: "download", bytes: 20 },
    ]);
  });

  it("tell of a target of copy-data what was copied, and that it lacks what could not be read", async () => {
    const { client, files, events } = await served();
    const target = await client.open("/copy", WRITE | CREAT);
    const source = await client.open("/old");
    await client.extendedStatus("copy-data", source, 0n, 0n, target, 0n);
    await client.close(target);
    files.methods = { read: () => Promise.reject(new FileError("EIO")) };
    const broken = await client.open("/old");
    const lacking = await client.open("/lacking", WRITE | CREAT);
    await client.extendedStatus("copy-data", broken, 0n, 0n, lacking, 0n);
    await client.close(lacking);
    expect(events).toMatchObject([
      { path: "/copy", bytes: 10, outcome: { result: "completed" } },
      { path: "/lacking", bytes: 0, outcome: { result: "aborted", reason: "error" } },
    ]);
  });

  it("harm nothing when the function that hears them throws or rejects, and are a line in the log", async () => {
    const thrown = new Error("no webhook");
    const { client, warnings } = await served(undefined, {
      onUpload: () => {
        throw thrown;
      },
      onDownload: () => Promise.reject(thrown),
    });
    const handle = await client.open("/old", READ | WRITE);
    await client.status(PacketType.WRITE, handle, 0n, data);
    await client.ask(PacketType.READ, handle, 0n, 4);
    expect(await client.close(handle)).toMatchObject({ code: StatusCode.OK });
    await client.status(PacketType.REALPATH, "/").catch(() => {});
    expect(warnings).toEqual([
      { fields: { err: thrown, path: "/old" }, message: "onUpload has failed" },
      { fields: { err: thrown, path: "/old" }, message: "onDownload has failed" },
    ]);
  });
});
