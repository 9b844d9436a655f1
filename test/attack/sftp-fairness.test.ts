import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { FileAttributes, FileSystem } from "../../src/files/file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { OpenFlag, PacketType } from "../../src/sftp/codec/constants.js";
import { SFTPServer } from "../../src/sftp/server/sftp-server.js";
import { startSession } from "../sftp/server/session.js";
import { SFTPPacketClient } from "../support/sftp-client.js";
import { extended, request } from "../support/sftp-packets.js";

/** Counts the calls that reach it, each of which is done at once. */
class CountingFileSystem extends MemoryFileSystem {
  calls = 0;

  override lstat(path: string): FileAttributes {
    this.calls++;
    return super.lstat(path);
  }
}

/** Most calls that came between two turns of the event loop, while `done` was awaited. */
async function mostCallsInOneTurn(files: CountingFileSystem, done: Promise<unknown>): Promise<number> {
  let most = 0;
  let isDone = false;
  void done.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const before = files.calls;
    await setImmediate();
    most = Math.max(most, files.calls - before);
  }
  return most;
}

describe("a session that always has something to do lets others have their turn", () => {
  it("with requests that are done at once", async () => {
    const files = new CountingFileSystem();
    const client = await startSocketSession(files);
    const count = 5_000;
    client.send(Buffer.concat(Array.from({ length: count }, (_, id) => request(PacketType.LSTAT, id, "/"))));
    const most = await mostCallsInOneTurn(files, client.reply(count - 1));
    expect(files.calls).toBe(count);
    expect(most).toBeLessThanOrEqual(32);
  });

  it("with many long paths at once, and stops when its client has gone", async () => {
    const files = new CountingFileSystem();
    files.mkdir("/d", 0o777);
    const { client, server } = await startSession(files);
    const path = "d/../".repeat(800);
    for (let id = 0; id < 100; id++) client.send(request(PacketType.STAT, id, path));
    const first = client.reply(0);
    expect(await mostCallsInOneTurn(files, first)).toBeLessThanOrEqual(16 * 64);
    client.stream.destroy();
    await server.closed;
    expect(files.calls).toBeLessThan((100 * 800) / 2);
  });

  it("with links to paths of hundreds of names that lead to links", async () => {
    const files = new CountingFileSystem();
    files.mkdir("/d", 0o777);
    const detour = "d/../".repeat(800);
    for (let link = 0; link < 30; link++) files.symlink(`/${detour}l${link + 1}`, `/l${link}`);
    const { client } = await startSession(files);
    const reply = client.status(PacketType.STAT, "/l0");
    expect(await mostCallsInOneTurn(files, reply)).toBeLessThanOrEqual(64);
    expect(await reply).toMatchObject({ message: "Too many levels of symbolic links" });
    expect(files.calls).toBeLessThan(10_000);
  });
});

describe("when a session ends", () => {
  it("requests that are still unread are answered", async () => {
    const files = new MemoryFileSystem();
    const client = await startSocketSession({
      lstat: async (path) => {
        await setImmediate();
        return files.lstat(path);
      },
    });
    const count = 1_000;
    client.stream.end(Buffer.concat(Array.from({ length: count }, (_, id) => request(PacketType.LSTAT, id, "/"))));
    await client.end();
    expect(client.replies).toHaveLength(1 + count);
  });

  it("what takes long ends with it, and is not a defect that is worth a line in the log", async () => {
    const endless = { read: (buffer: Buffer) => buffer.length, write: () => {} };
    const { client, server, warnings } = await startSession({ open: (path) => ({ ...endless, identity: path }) });
    const file = await client.open("/file");
    const copy = await client.open("/copy", OpenFlag.WRITE);
    client.send(extended(1, "check-file-handle", file, "md5", 0n, 0n, 0));
    client.send(extended(2, "copy-data", file, 0n, 0n, copy, 0n));
    await client.askExtended("limits@openssh.com");
    client.stream.destroy();
    await server.closed;
    expect(warnings).toEqual([]);
  });
});

/** A session over TCP, the way on which most comes at once. */
async function startSocketSession(fileSystem: FileSystem): Promise<SFTPPacketClient> {
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    new SFTPServer(socket, { fileSystem, logger: false });
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const socket = connect((listener.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
    listener.close();
  });
  return SFTPPacketClient.start(socket);
}
