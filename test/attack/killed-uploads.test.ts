import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import type { Client, ClientChannel } from "ssh2";
import { afterAll, describe, expect, it } from "vitest";
import { OpenFlag, PacketType, StatusCode } from "../../src/sftp/codec/constants.js";
import { connectTo } from "../session/session-fixture.js";
import { builtFile } from "../support/build.js";
import { extent } from "../support/extent.js";
import { SFTPPacketClient } from "../support/sftp-client.js";
import { readAttributes, readerOf, request } from "../support/sftp-packets.js";

const { WRITE, CREAT, TRUNC } = OpenFlag;
const QUOTA = 64 * 1024 * 1024;
const PIECE = 16 * 1024;
const PATHS = ["/a", "/b", "/c"];

/** Those who can end an upload before its time. */
const KILLED = ["client", "session", "server", "nobody"] as const;

interface Event {
  readonly path: string;
  readonly result: string;
}

/** A server that can be killed and started again. */
class KilledServer {
  readonly folder = mkdtempSync(join(tmpdir(), "spindlex-killed-"));
  readonly events: Event[] = [];
  #process: ChildProcess | undefined;
  #port = 0;
  #wake: () => void = () => {};

  async start(): Promise<void> {
    const started = fork(builtFile("test/attack/upload-server-process.ts"), [this.folder, `${QUOTA}`]);
    this.#process = started;
    [this.#port] = await once(started, "message");
    started.on("message", (event) => {
      this.events.push(event as Event);
      this.#wake();
    });
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    if (this.#process !== undefined && this.#process.signalCode === null) await once(this.#process, "exit");
  }

  endSessions(): void {
    this.#process?.send("end");
  }

  async event(): Promise<Event> {
    while (this.events.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.events.shift() as Event;
  }

  async session(): Promise<{ client: Client; sftp: SFTPPacketClient }> {
    const client = await connectTo(this.#port);
    const channel = await new Promise<ClientChannel>((resolve, reject) =>
      client.subsys("sftp", (error, opened) => (error ? reject(error) : resolve(opened))),
    );
    return { client, sftp: await SFTPPacketClient.start(channel) };
  }

  /** The content of a file on the disk. */
  content(path: string): Buffer | undefined {
    const place = join(this.folder, path);
    return existsSync(place) ? readFileSync(place) : undefined;
  }

  /** Bytes of all files, staged ones too. */
  used(): number {
    return readdirSync(this.folder).reduce((sum, name) => sum + statSync(join(this.folder, name)).size, 0);
  }
}

/** Bytes that say which upload they are of, and where they belong. */
function contentOf(upload: number, pieces: number): Buffer {
  const content = Buffer.alloc(pieces * PIECE + (upload % 100));
  for (let offset = 0; offset < content.length; offset += 16) {
    content.write(`${upload}:${offset} `.padEnd(16, "."), offset, "latin1");
  }
  return content;
}

function random(limit: number): number {
  return Math.floor(Math.random() * limit);
}

async function freeBlocks(sftp: SFTPPacketClient): Promise<{ blockSize: number; free: number }> {
  const fields = readerOf(await sftp.askExtended("statvfs@openssh.com", "/"), PacketType.EXTENDED_REPLY);
  const [, blockSize, , free] = [fields.readUint64(), fields.readUint64(), fields.readUint64(), fields.readUint64()];
  return { blockSize: Number(blockSize), free: Number(free) };
}

describe("uploads that are killed at any point", () => {
  const server = new KilledServer();
  const whole = new Map<string, Buffer>();

  afterAll(async () => {
    await server.kill();
    rmSync(server.folder, { recursive: true, force: true });
  });

  /** Uploads a file, and ends it in some way at some time. */
  async function upload(number: number, killed: (typeof KILLED)[number]): Promise<void> {
    const path = PATHS[random(PATHS.length)] ?? "/a";
    const content = contentOf(number, random(12));
    const { client, sftp } = await server.session();
    const handle = await sftp.open(path, WRITE | CREAT | TRUNC);
    const pieces = Math.ceil(content.length / PIECE);
    const packets = Array.from({ length: pieces }, (_, index) =>
      request(
        PacketType.WRITE,
        1000 + index,
        handle,
        BigInt(index * PIECE),
        content.subarray(index * PIECE, (index + 1) * PIECE),
      ),
    );
    const closing = request(PacketType.CLOSE, 999, handle);
    const sent = [...packets, closing].slice(0, killed === "nobody" ? undefined : 1 + random(pieces + 1));
    sftp.send(...sent);
    if (killed === "nobody" || Math.random() < 0.2) {
      if (sent.includes(closing)) await sftp.reply(999).catch(() => {});
    } else if (Math.random() < 0.7) await passed(random(8));
    const acknowledged = sftp.replies.some(({ id }) => id === 999);
    if (killed === "client") client.destroy();
    else if (killed === "session") server.endSessions();
    else if (killed === "server") await server.kill();
    else client.end();

    const event = killed === "server" ? server.events.shift() : await server.event();
    const now = server.content(path);
    const before = whole.get(path);
    const isNew = now?.equals(content) ?? false;
    const isOld = now === undefined ? before === undefined : before !== undefined && now.equals(before);
    expect(isNew || isOld, `${path} is neither old nor new: upload ${number}, ${killed}`).toBe(true);
    if (acknowledged || event?.result === "completed") expect(isNew).toBe(true);
    if (event?.result === "aborted") expect(isOld).toBe(true);
    expect(event === undefined || event.path === path).toBe(true);
    expect(server.events).toEqual([]);
    if (isNew) whole.set(path, content);
    if (killed === "server") await server.start();
    else client.destroy();
    await checkRest(path, isNew ? undefined : content);
  }

  /** What is left of an upload is its beginning, and may be gone on with. */
  async function checkRest(path: string, content: Buffer | undefined): Promise<void> {
    const { client, sftp } = await server.session();
    const reply = await sftp.ask(PacketType.STAT, path);
    const size = reply.type === PacketType.ATTRS ? Number(readAttributes(reply).size) : undefined;
    const staged = readdirSync(server.folder).filter(
      (name) => name.startsWith(".spindlex-") && name.endsWith(path.slice(1)),
    );
    if (content === undefined || staged.length === 0) {
      expect(size).toBe(whole.get(path)?.length);
      expect(staged).toEqual([]);
    } else {
      const begun = server.content(`/${staged[0]}`) ?? Buffer.alloc(0);
      expect(staged).toHaveLength(1);
      expect(begun.equals(content.subarray(0, begun.length))).toBe(true);
      expect(size).toBe(begun.length);
      if (Math.random() < 0.5) {
        const handle = await sftp.open(path, WRITE | CREAT);
        await sftp.status(PacketType.WRITE, handle, BigInt(begun.length), content.subarray(begun.length));
        expect(await sftp.close(handle)).toMatchObject({ code: StatusCode.OK });
        expect(await server.event()).toEqual({ path, result: "completed" });
        expect(server.content(path)?.equals(content)).toBe(true);
        whole.set(path, content);
      }
    }
    client.destroy();
  }

  async function checkQuota(): Promise<void> {
    const { client, sftp } = await server.session();
    const { blockSize, free } = await freeBlocks(sftp);
    expect(free).toBe(Math.floor((QUOTA - server.used()) / blockSize));
    client.destroy();
  }

  it("are there whole or not at all, can be gone on with, and have one event each", async () => {
    await server.start();
    const uploads = extent(8, 200);
    for (let number = 1; number <= uploads; number++) await upload(number, KILLED[number % KILLED.length] ?? "nobody");
    await checkQuota();
    await server.kill();
    await server.start();
    await checkQuota();
  });
});
