import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConfigurationError } from "../../../src/base/configuration-error.js";
import type { AccessMode, AccessPolicy } from "../../../src/files/access-policy.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { OpenFlag, PacketType, StatusCode } from "../../../src/sftp/codec/constants.js";
import { requestNames } from "../../../src/sftp/server/requests/registry.js";
import { SFTPServer } from "../../../src/sftp/server/sftp-server.js";
import type { SFTPStream } from "../../../src/sftp/server/sftp-stream.js";
import { duplexPair } from "../../server/duplex-pair.js";
import { SFTPPacketClient } from "../../support/sftp-client.js";
import {
  attributes,
  extended,
  init,
  NO_ATTRIBUTES,
  readData,
  readPath,
  readStatus,
  request,
} from "../../support/sftp-packets.js";
import { startSession } from "./session.js";

const { PERMISSION_DENIED, OK } = StatusCode;
const { READ, WRITE, CREAT } = OpenFlag;

function tree(): MemoryFileSystem {
  return MemoryFileSystem.from({ "/public/file": "hello", "/secret/file": "secret" });
}

describe("SFTPServer", () => {
  it("serves a directory of this machine", async () => {
    const rootPath = mkdtempSync(join(tmpdir(), "sftp-server-"));
    onTestFinished(() => rmSync(rootPath, { recursive: true }));
    writeFileSync(join(rootPath, "file"), "hello");
    chmodSync(join(rootPath, "file"), 0o640);
    const [near, far] = duplexPair();
    const server = new SFTPServer(far, { rootPath });
    const client = await SFTPPacketClient.start(near);
    expect(server.channel).toBe(far);
    expect(readData(await client.ask(PacketType.READ, await client.open("/file"), 0n, 10)).toString()).toBe("hello");
    expect(readPath(await client.ask(PacketType.REALPATH, "."))).toBe("/");
    near.end();
    await client.end();
    await server.closed;
  });

  it("starts relative paths where it is told to", async () => {
    const { client } = await startSession(tree(), { startDirectory: "public/../public/" });
    expect(readPath(await client.ask(PacketType.REALPATH, "."))).toBe("/public");
    await client.open("file");
  });

  it("goes on where its log cannot be written", async () => {
    const fail = () => {
      throw new Error("no room for the log");
    };
    const [near, far] = duplexPair();
    const server = new SFTPServer(far, { fileSystem: tree(), logger: { debug: fail, warn: fail } });
    const client = await SFTPPacketClient.start(near);
    expect(readStatus(await client.ask(PacketType.REMOVE, "/missing")).code).toBe(StatusCode.NO_SUCH_FILE);
    client.send(init());
    await client.end();
    near.destroy();
    await server.closed;
  });

  it("answers the reads of a handle in their order, and others when they are ready", async () => {
    const waiting: (() => void)[] = [];
    const fileSystem = {
      open: (path: string) => ({
        async read(buffer: Buffer, position: number) {
          if (path === "/slow") await new Promise<void>((resolve) => waiting.push(resolve));
          if (position > 1) return 0;
          return buffer.write(String(position));
        },
      }),
    };
    const { client } = await startSession(fileSystem);
    const slow = await client.open("/slow");
    const quick = await client.open("/quick");
    const ids = [0n, 1n, 2n].map((offset) => {
      const id = client.nextId();
      client.send(request(PacketType.READ, id, slow, offset, 10));
      return id;
    });
    expect(readData(await client.ask(PacketType.READ, quick, 0n, 10)).toString()).toBe("0");
    const before = client.replies.length;
    for (const resolve of waiting.reverse()) {
      resolve();
      await client.ask(PacketType.READ, quick, 0n, 10);
    }
    const replies = await Promise.all(ids.map((id) => client.reply(id)));
    expect(replies.slice(0, 2).map((reply) => readData(reply).toString())).toEqual(["0", "1"]);
    expect(readStatus(replies[2] ?? expect.fail()).code).toBe(StatusCode.EOF);
    expect(client.replies.slice(before).filter((reply) => replies.includes(reply))).toEqual(replies);
  });

  it("refuses methods that are another form of a hook's name, and logs those that are nearly one", () => {
    class Form extends SFTPServer {
      check_file_access() {
        return false;
      }
    }
    class Letter extends SFTPServer {
      checkFileAcess() {
        return false;
      }
    }
    const lines: unknown[] = [];
    const options = { fileSystem: tree(), logger: { debug: () => {}, warn: (fields: object) => lines.push(fields) } };
    expect(() => new Form(duplexPair()[1], options)).toThrow(
      "SFTPServer: has a method check_file_access, which nothing calls; the hook is named checkFileAccess",
    );
    new Letter(duplexPair()[1], options);
    expect(lines).toEqual([{ method: "checkFileAcess", hook: "checkFileAccess" }]);
  });

  it("refuses to deny what there is not", () => {
    const [, far] = duplexPair();
    const fileSystem = tree();
    for (const name of ["OPEN", "init", "", "posix-rename@openssh.com"]) {
      expect(() => new SFTPServer(far, { fileSystem, deniedRequests: [name] })).toThrow(ConfigurationError);
    }
  });

  it.each(requestNames)("denies %s", async (name) => {
    const { client } = await startSession(tree(), { deniedRequests: [name] });
    const types = Object.entries(PacketType).filter(([own]) => own.toLowerCase() === name);
    for (const [, type] of types) await client.ask(Number(type), "/public/file");
    // The extension whose name is meant is one of these; nobody knows the other.
    if (types.length === 0) for (const suffix of ["", "@openssh.com"]) await client.askExtended(name + suffix, "/x");
    const statuses = client.replies.slice(1).map((reply) => readStatus(reply));
    expect(statuses.filter(({ code }) => code !== StatusCode.OP_UNSUPPORTED)).toEqual([
      { code: PERMISSION_DENIED, message: "Permission denied" },
    ]);
  });

  it("asks the policy that it was given, where no hook is overridden", async () => {
    class Careful extends SFTPServer {
      override getFilePermissions(): number {
        return 0o600;
      }
    }
    const files = tree();
    const access: AccessPolicy = {
      checkFileAccess: async (path) => path.startsWith("/public/"),
      checkDirectoryAccess: (_path, mode) => mode === "w",
      getFilePermissions: () => 0o777,
      getDirectoryPermissions: () => 0o700,
    };
    const { client } = await startSession(files, { server: Careful, access });
    expect((await client.status(PacketType.REMOVE, "/secret/file")).code).toBe(PERMISSION_DENIED);
    expect((await client.status(PacketType.OPENDIR, "/public")).code).toBe(PERMISSION_DENIED);
    expect((await client.status(PacketType.MKDIR, "/public/new", NO_ATTRIBUTES)).code).toBe(OK);
    await client.open("/public/new/file", WRITE | CREAT);
    expect(files.lstat("/public/new").permissions).toBe(0o700);
    expect(files.lstat("/public/new/file").permissions).toBe(0o600);
  });

  it("asks its hooks, which may be async", async () => {
    const asked: string[] = [];
    class Careful extends SFTPServer {
      override async checkFileAccess(path: string, mode: AccessMode): Promise<boolean> {
        asked.push(`${this.channel.destroyed ? "gone" : "there"} ${path} ${mode}`);
        return path.startsWith("/public/");
      }

      override checkDirectoryAccess(path: string): boolean {
        return path === "/public";
      }

      override getFilePermissions(): number {
        return 0o600;
      }

      override async getDirectoryPermissions(): Promise<number> {
        return 0o700;
      }
    }
    const files = tree();
    const { client } = await startSession(files, { server: Careful });
    const denied = { code: PERMISSION_DENIED, message: "Permission denied" };
    await client.open("/public/file");
    await client.open("/public/new", WRITE | CREAT, attributes({ permissions: 0o777 }));
    expect(await client.status(PacketType.OPEN, "/secret/file", READ, NO_ATTRIBUTES)).toEqual(denied);
    expect(await client.status(PacketType.OPENDIR, "/secret")).toEqual(denied);
    expect(await client.status(PacketType.MKDIR, "/other", NO_ATTRIBUTES)).toEqual(denied);
    expect(await client.status(PacketType.REMOVE, "/public/../secret/file")).toEqual(denied);
    expect(files.lstat("/public/new").permissions).toBe(0o600);
    expect((await client.status(PacketType.REMOVE, "/public/file")).code).toBe(OK);
    expect(asked).toEqual([
      "there /public/file r",
      "there /public/new w",
      "there /secret/file r",
      "there /secret/file w",
      "there /public/file w",
    ]);
  });
});

/** A stream as a channel of SSH is one: it notes how the session ends. */
function channelPair(): { client: SFTPPacketClient; channel: SFTPStream; events: string[] } {
  const [near, far] = duplexPair();
  const events: string[] = [];
  const channel: SFTPStream = Object.assign(far, {
    sendExitStatus: (status: number) => {
      events.push(`exit ${status}`);
    },
    close: () => {
      events.push("close");
      far.end();
    },
  });
  return { client: new SFTPPacketClient(near), channel, events };
}

describe("the end of a session", () => {
  it("by the client: 0, once all is answered and closed", async () => {
    const { client, channel, events } = channelPair();
    const server = new SFTPServer(channel, { fileSystem: tree() });
    client.send(init(), request(PacketType.OPEN, 1, "/public/file", READ, NO_ATTRIBUTES));
    for (let id = 2; id < 500; id++) client.send(extended(id, "limits@openssh.com"));
    client.stream.end();
    await client.end();
    await server.closed;
    expect(client.replies).toHaveLength(500);
    expect(events).toEqual(["exit 0", "close"]);
  });

  it("for broken protocol: 1", async () => {
    const { client, channel, events } = channelPair();
    const server = new SFTPServer(channel, { fileSystem: tree(), logger: false });
    client.send(Buffer.alloc(100, 0xff));
    await client.end();
    await server.closed;
    expect(events).toEqual(["exit 1", "close"]);
  });

  it("when the stream fails or is destroyed: tells nobody", async () => {
    for (const error of [undefined, new Error("reset")]) {
      const { client, channel, events } = channelPair();
      const server = new SFTPServer(channel, { fileSystem: tree() });
      client.send(init());
      await client.version();
      channel.destroy(error);
      await server.closed;
      expect(events).toEqual([]);
    }
  });

  it("that is over before it began", async () => {
    const stream = new Duplex({ read: () => {}, write: () => {} });
    stream.destroy();
    await new SFTPServer(stream, { fileSystem: tree() }).closed;
  });

  it("without anything: 0", async () => {
    const { client, channel, events } = channelPair();
    const server = new SFTPServer(channel, { fileSystem: tree() });
    client.stream.end();
    await client.end();
    await server.closed;
    expect(events).toEqual(["exit 0", "close"]);
    expect(client.replies).toEqual([]);
  });

  it("waits until files are closed", async () => {
    const { client, channel, events } = channelPair();
    const close = async () => {
      await new Promise(setImmediate);
      events.push("file");
    };
    new SFTPServer(channel, { fileSystem: { open: () => ({ close }) } });
    client.send(init(), request(PacketType.OPEN, 1, "/x", READ, NO_ATTRIBUTES));
    await client.reply(1);
    client.stream.end();
    await client.end();
    expect(events).toEqual(["file", "exit 0", "close"]);
  });
});
