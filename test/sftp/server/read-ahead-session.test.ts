import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COMPLETED } from "../../../src/files/file-outcome.js";
import type { FileHandle, FileSystem } from "../../../src/files/file-system.js";
import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import type { TransferEvent } from "../../../src/files/transfer-events.js";
import { audit } from "../../../src/files/wrappers/audit.js";
import type { AuditEvent } from "../../../src/files/wrappers/audit-event.js";
import { OpenFlag, PacketType, StatusCode } from "../../../src/sftp/codec/constants.js";
import { Deferred } from "../../attack/deferred.js";
import { extent } from "../../support/extent.js";
import type { SFTPPacketClient } from "../../support/sftp-client.js";
import { attributes, type Field, NO_ATTRIBUTES, readData, readHandle } from "../../support/sftp-packets.js";
import { startSession } from "./session.js";

const { READ, WRITE } = OpenFlag;
const LENGTH = 4;

/** A file system whose files are slow to read, and which keeps watch over the rules for handles. */
class SlowFileSystem {
  readonly memory: MemoryFileSystem;
  /** Each breach of a rule. */
  readonly breaches: string[] = [];
  /** Positions of all reads, in their order. */
  readonly reads: number[] = [];
  readonly fileSystem: FileSystem;
  closed = 0;
  readonly #wait: (position: number) => Promise<void>;

  /** @param wait before and behind each read */
  constructor(files: Readonly<Record<string, string>>, wait: (position: number) => Promise<void>) {
    this.memory = MemoryFileSystem.from(files);
    this.#wait = wait;
    this.fileSystem = new Proxy<FileSystem>(this.memory, {
      get: (memory, name) => {
        const method: unknown = Reflect.get(memory, name);
        if (typeof method !== "function") return method;
        if (name === "open")
          return (...parameters: unknown[]) => this.#watch(Reflect.apply(method, memory, parameters));
        return method.bind(memory);
      },
    });
  }

  #watch(handle: FileHandle): FileHandle {
    let underWay = 0;
    let isClosed = false;
    const demand = (rule: string, isKept: boolean) => {
      if (!isKept) this.breaches.push(rule);
    };
    return new Proxy(handle, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        if (name === "read") {
          return async (buffer: Buffer, position: number) => {
            demand("nothing is read from a closed file", !isClosed);
            underWay++;
            this.reads.push(position);
            const result = Buffer.alloc(buffer.length);
            await this.#wait(position);
            const count = await handle.read?.(result, position);
            await this.#wait(position);
            result.copy(buffer);
            underWay--;
            return count;
          };
        }
        return (...parameters: unknown[]): unknown => {
          demand(`${String(name)} is not called on a closed file`, !isClosed);
          if (name === "close") {
            demand("a file is closed when its reads have ended", underWay === 0);
            isClosed = true;
            this.closed++;
          }
          return Reflect.apply(method, target, parameters);
        };
      },
    });
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Reads one block after the other. */
async function readBlocks(client: SFTPPacketClient, handle: Buffer, from: number, count: number): Promise<string> {
  let text = "";
  for (let index = from; index < from + count; index++) {
    text += readData(await client.ask(PacketType.READ, handle, BigInt(index * LENGTH), LENGTH)).toString();
  }
  return text;
}

type Step =
  | { readonly kind: "read"; readonly file: number; readonly blocks: number; readonly pipelined: boolean }
  | { readonly kind: "seek"; readonly file: number; readonly position: number; readonly length: number }
  | { readonly kind: "write"; readonly file: number; readonly position: number; readonly text: string }
  | { readonly kind: "resize" | "resize by name"; readonly file: number; readonly size: number }
  | { readonly kind: "copy"; readonly file: number; readonly position: number }
  | { readonly kind: "reopen"; readonly file: number };

/** Bytes that each file has at least, and at first. No write begins behind the end, where it would fill a gap. */
const [LEAST, MOST] = [40, 60];
const file = fc.nat({ max: 1 });
const position = fc.nat({ max: LEAST });
const size = fc.integer({ min: LEAST, max: MOST });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      file,
      blocks: fc.integer({ min: 1, max: 12 }),
      pipelined: fc.boolean(),
    }),
  },
  fc.record({
    kind: fc.constant("seek" as const),
    file,
    position: fc.nat({ max: MOST }),
    length: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ kind: fc.constant("write" as const), file, position, text: fc.string({ minLength: 1, maxLength: 9 }) }),
  fc.record({ kind: fc.constantFrom("resize" as const, "resize by name" as const), file, size }),
  fc.record({ kind: fc.constant("copy" as const), file, position }),
  fc.record({ kind: fc.constant("reopen" as const), file }),
);

/** Whether a step is answered before the next one is asked for. */
const steps = fc.array(fc.tuple(step, fc.boolean()), { minLength: 1, maxLength: 12 });

const contents = () => ({ "/0": "abcdefghijkl".repeat(5), "/1": "0123456789".repeat(6) });

/** Carries out the steps, and returns all that the client was told, in the order of its requests. */
async function carryOut(fileSystem: FileSystem, script: readonly (readonly [Step, boolean])[]): Promise<string[]> {
  const { client, server } = await startSession(fileSystem);
  const replies: Promise<string>[] = [];
  const ask = (...parameters: Parameters<SFTPPacketClient["ask"]>): Promise<string> => {
    const reply = client.ask(...parameters).then(({ bytes }) => bytes.toString("hex"));
    replies.push(reply);
    return reply;
  };
  const files = [0, 1].map((number) => ({ handle: Buffer.alloc(4), name: `/${number}`, next: 0n, length: LENGTH }));
  const open = async (one: (typeof files)[number]) => {
    const reply = await client.ask(PacketType.OPEN, one.name, READ | WRITE, NO_ATTRIBUTES);
    Object.assign(one, { handle: readHandle(reply), next: 0n, length: LENGTH });
  };
  for (const one of files) await open(one);
  for (const [one, isAwaited] of script) {
    const state = files[one.file] ?? expect.fail();
    const { handle, name } = state;
    const read = () => {
      const reply = ask(PacketType.READ, handle, state.next, state.length);
      state.next += BigInt(state.length);
      return reply;
    };
    switch (one.kind) {
      case "read":
        for (let block = 0; block < one.blocks; block++) {
          const reply = read();
          if (!one.pipelined) await reply;
        }
        break;
      case "seek":
        Object.assign(state, { next: BigInt(one.position), length: one.length });
        void read();
        break;
      case "write":
        void ask(PacketType.WRITE, handle, BigInt(one.position), one.text);
        break;
      case "resize":
        void ask(PacketType.FSETSTAT, handle, attributes({ size: BigInt(one.size) }));
        break;
      case "resize by name":
        void ask(PacketType.SETSTAT, name, attributes({ size: BigInt(one.size) }));
        break;
      case "copy": {
        const from = files[1 - one.file]?.handle ?? expect.fail();
        void ask(PacketType.EXTENDED, "copy-data", from, 0n, 8n, handle, BigInt(one.position));
        break;
      }
      case "reopen":
        void ask(PacketType.CLOSE, handle);
        await open(state);
    }
    if (isAwaited) await replies.at(-1);
  }
  const all = await Promise.all(replies);
  client.stream.end();
  await server.closed;
  return all;
}

describe("a session that reads ahead", () => {
  it("answers as one that does not, whatever the client does", async () => {
    let ahead = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.infiniteStream(fc.nat({ max: 3 })), async (script, delays) => {
        const slow = new SlowFileSystem(contents(), async () => {
          for (let left = delays.next().value ?? 0; left > 0; left--) await turn();
        });
        // Files in memory answer at once.
        const expected = await carryOut(MemoryFileSystem.from(contents()), script);
        expect(await carryOut(slow.fileSystem, script)).toEqual(expected);
        expect(slow.breaches).toEqual([]);
        ahead += slow.reads.length;
        for (const [one] of script) {
          if (one.kind === "read") ahead -= one.blocks;
          if (one.kind === "seek") ahead -= 1;
        }
      }),
      { numRuns: extent(50, 1000) },
    );
    expect(ahead).toBeGreaterThan(0);
  });

  it.each<[name: string, type: number, fields: (handle: Buffer) => readonly Field[]]>([
    ["WRITE", PacketType.WRITE, (handle) => [handle, 0n, "x"]],
    ["FSETSTAT", PacketType.FSETSTAT, (handle) => [handle, attributes({ permissions: 0o600 })]],
    ["FSTAT", PacketType.FSTAT, (handle) => [handle]],
    ["STAT", PacketType.STAT, () => ["/0"]],
    ["RENAME", PacketType.RENAME, () => ["/1", "/2"]],
    ["REMOVE", PacketType.REMOVE, () => ["/1"]],
    ["OPEN", PacketType.OPEN, () => ["/1", READ, NO_ATTRIBUTES]],
    ["copy-data", PacketType.EXTENDED, (handle) => ["copy-data", handle, 0n, 4n, handle, 100n]],
    ["fsync", PacketType.EXTENDED, (handle) => ["fsync@openssh.com", handle]],
  ])("drops what it has at %s: what the client then reads is read then", async (_, type, fields) => {
    const slow = new SlowFileSystem(contents(), turn);
    const { client } = await startSession(slow.fileSystem);
    const handle = await client.open("/0", READ | WRITE);
    await readBlocks(client, handle, 0, 3);
    await client.askExtended("limits@openssh.com");
    expect(slow.reads).toEqual([0, 4, 8, 12]);
    await client.ask(type, ...fields(handle));
    const before = slow.reads.length;
    expect(await readBlocks(client, handle, 3, 2)).toBe("abcdefgh");
    expect(slow.reads.slice(before)).toEqual([12, 16]);
  });

  it("begins nothing while something is changed, and gives nothing that was read meanwhile", async () => {
    const written = new Deferred();
    const slow = new SlowFileSystem(contents(), turn);
    const open = slow.fileSystem.open?.bind(slow.fileSystem) ?? expect.fail();
    const fileSystem: FileSystem = {
      open: async (path, options) => {
        const handle = await open(path, options);
        return {
          identity: path,
          read: (buffer, at) => handle.read?.(buffer, at) ?? 0,
          write: async (data, at) => {
            await written.promise;
            await handle.write?.(data, at);
          },
        };
      },
    };
    const { client } = await startSession(fileSystem);
    const handle = await client.open("/0", READ | WRITE);
    // Replies for one handle keep their order.
    const other = await client.open("/0", WRITE);
    const writing = client.status(PacketType.WRITE, other, 20n, "WRITTEN!");
    expect(await readBlocks(client, handle, 0, 5)).toBe("abcdefghijklabcdefgh");
    await turn();
    expect(slow.reads).toEqual([0, 4, 8, 12, 16]);
    const reading = readBlocks(client, handle, 5, 2);
    await client.askExtended("limits@openssh.com");
    written.resolve();
    expect((await writing).code).toBe(StatusCode.OK);
    expect(await reading).toBe("WRITTEN!");
  });

  it("shows a client at the end of a file what another one adds to it", async () => {
    const slow = new SlowFileSystem({ "/log": "0123456789ab" }, turn);
    const { client } = await startSession(slow.fileSystem);
    const writer = (await startSession(slow.memory)).client;
    const handle = await client.open("/log");
    const log = await writer.open("/log", OpenFlag.APPEND);
    expect(await readBlocks(client, handle, 0, 3)).toBe("0123456789ab");
    for (let round = 0, end = 12; round < 10; round++, end += 6) {
      for (const _ of [1, 2]) {
        expect((await client.status(PacketType.READ, handle, BigInt(end), LENGTH)).code).toBe(StatusCode.EOF);
      }
      await writer.status(PacketType.WRITE, log, 0n, "added!");
      const seen: string[] = [];
      for (const offset of [0, 4]) {
        seen.push(readData(await client.ask(PacketType.READ, handle, BigInt(end + offset), LENGTH)).toString());
      }
      expect(seen).toEqual(["adde", "d!"]);
    }
  });

  it.each(["CLOSE", "the end of the session", "a lost connection"])(
    "closes a file at %s once what was read ahead has ended",
    async (how) => {
      const held = new Deferred();
      const slow = new SlowFileSystem(contents(), (at) => (at < 12 ? turn() : held.promise));
      const { client, server } = await startSession(slow.fileSystem);
      const handle = await client.open("/0");
      await readBlocks(client, handle, 0, 3);
      expect(slow.reads).toEqual([0, 4, 8, 12]);
      const closing = how === "CLOSE" ? client.close(handle) : server.closed;
      if (how === "the end of the session") client.stream.end();
      if (how === "a lost connection") client.stream.destroy();
      for (let turns = 0; turns < 20; turns++) await turn();
      expect(slow.closed).toBe(0);
      held.resolve();
      await closing;
      expect(slow.closed).toBe(1);
      expect(slow.breaches).toEqual([]);
      client.stream.destroy();
      await server.closed;
      expect(slow.closed).toBe(1);
    },
  );

  it("tells of a download what the client got, and of no failure that it has not heard of", async () => {
    const slow = new SlowFileSystem(contents(), (at) => (at < 28 ? turn() : Promise.reject(new Error("too far"))));
    const events: TransferEvent[] = [];
    const onDownload = (event: TransferEvent) => {
      events.push(event);
    };
    const { client } = await startSession(slow.fileSystem, { onDownload });
    const handle = await client.open("/0");
    await readBlocks(client, handle, 0, 7);
    expect(slow.reads).toContain(28);
    await client.close(handle);
    expect(events).toMatchObject([{ path: "/0", bytes: 7 * LENGTH, outcome: COMPLETED }]);
  });

  it("leaves out of the audit what the client has not asked for", async () => {
    const events: AuditEvent[] = [];
    const slow = new SlowFileSystem(contents(), turn);
    const fileSystem = audit(slow.fileSystem, {
      record: (event) => {
        events.push(event);
      },
    });
    const { client } = await startSession(fileSystem);
    const handle = await client.open("/0");
    await readBlocks(client, handle, 0, 7);
    await client.close(handle);
    expect(slow.reads.length).toBeGreaterThan(7);
    expect(events[1]).toMatchObject({ operation: "close", bytesRead: 7 * LENGTH, result: "OK" });
  });
});
