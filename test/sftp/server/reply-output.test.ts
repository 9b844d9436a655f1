import { describe, expect, it } from "vitest";
import type { FileHandle, FileSystem } from "../../../src/files/file-system.js";
import { OpenFlag, PacketType } from "../../../src/sftp/codec/constants.js";
import { SFTPServer } from "../../../src/sftp/server/sftp-server.js";
import { inputOf, openTestChannel, outputOf, settled } from "../../connection/test-channel.js";
import { duplexPair } from "../../server/duplex-pair.js";
import { encodeFields, init, NO_ATTRIBUTES, request } from "../../support/sftp-packets.js";

const LENGTH = 255 * 1024;
const REPLY_LENGTH = 13 + LENGTH;

/** One file without end: each block of `LENGTH` bytes is filled with its number. */
class NumberedBlocks implements FileSystem {
  /** The memory that was read into. */
  readonly memory = new Set<ArrayBufferLike>();

  lstat() {
    return { type: "file", size: 1e9, permissions: 0o644, accessTime: 0, modifyTime: 0 } as const;
  }

  open(): FileHandle {
    return {
      read: (buffer, position) => {
        this.memory.add(buffer.buffer);
        buffer.fill(position / LENGTH);
        return buffer.length;
      },
    };
  }
}

const open = request(PacketType.OPEN, 1, "/file", OpenFlag.READ, NO_ATTRIBUTES);
const read = (block: number) => request(PacketType.READ, block, encodeFields(1), BigInt(block * LENGTH), LENGTH);

/** The replies to reads of blocks, at the end of all that was sent. */
function blocksIn(bytes: Buffer, count: number): (number | "mixed")[] {
  return Array.from({ length: count }, (_, block) => {
    const start = bytes.length - (count - block) * REPLY_LENGTH;
    const data = bytes.subarray(start + 13, start + REPLY_LENGTH);
    return data.equals(Buffer.alloc(LENGTH, data[0])) ? (data[0] ?? "mixed") : "mixed";
  });
}

describe("the buffers of replies to READ", () => {
  const count = 48;
  const numbers = Array.from({ length: count }, (_, block) => block);

  it("are used again once a channel has sent them, and none before", async () => {
    const { channel, link } = openTestChannel();
    const sent: Buffer[] = [];
    link.sendData = (_head, parts) => sent.push(Buffer.concat(parts));
    const file = new NumberedBlocks();
    new SFTPServer(channel, { fileSystem: file });
    inputOf(channel).receiveData(Buffer.concat([init(), open]));
    await settled();
    const total = () => sent.reduce((sum, { length }) => sum + length, 0);
    const all = total() + count * REPLY_LENGTH;
    inputOf(channel).receiveData(Buffer.concat(numbers.map(read)));
    // The window takes part of a reply, then more: what waits keeps its bytes.
    while (total() < all) {
      await settled();
      outputOf(channel).adjustWindow(1_000_000);
    }
    expect(blocksIn(Buffer.concat(sent), count)).toEqual(numbers);
    expect(file.memory.size).toBeLessThan(count / 2);
  });

  it("are left to a stream that may hold on to them", async () => {
    const [near, far] = duplexPair();
    const file = new NumberedBlocks();
    new SFTPServer(far, { fileSystem: file });
    const kept: Buffer[] = [];
    const total = () => kept.reduce((sum, { length }) => sum + length, 0);
    near.on("data", (chunk: Buffer) => kept.push(chunk));
    near.write(Buffer.concat([init(), open]));
    await settled();
    const all = total() + count * REPLY_LENGTH;
    near.write(Buffer.concat(numbers.map(read)));
    while (total() < all) await settled();
    expect(blocksIn(Buffer.concat(kept), count)).toEqual(numbers);
    expect(file.memory.size).toBeGreaterThan(count / 2);
    near.destroy();
  });
});

describe("short replies", () => {
  const small: FileSystem = {
    lstat: () => ({ type: "file", size: 3, permissions: 0o644, accessTime: 0, modifyTime: 0 }),
    open: () => ({ read: (buffer, position) => buffer.write("abc".slice(position)), close: () => {} }),
  };
  const readAll = request(PacketType.READ, 2, encodeFields(1), 0n, 100);
  const close = request(PacketType.CLOSE, 3, encodeFields(1));
  const tick = () => new Promise<void>((resolve) => process.nextTick(resolve));

  /** A session with what it sends, packet by packet of SSH. */
  async function session(windowSize?: number) {
    const { channel, link } = openTestChannel(windowSize === undefined ? {} : { windowSize });
    const packets: Buffer[] = [];
    link.sendData = (_head, parts) => packets.push(Buffer.concat(parts));
    new SFTPServer(channel, { fileSystem: small });
    inputOf(channel).receiveData(init());
    await settled();
    return { channel, link, packets, receive: (bytes: Buffer) => inputOf(channel).receiveData(bytes) };
  }

  it("leave at once where the client waits for each", async () => {
    const { packets, receive } = await session();
    for (const [bytes, type] of [
      [open, PacketType.HANDLE],
      [readAll, PacketType.DATA],
      [close, PacketType.STATUS],
    ] as const) {
      packets.length = 0;
      receive(bytes);
      await tick();
      expect(packets.map((packet) => packet[4])).toEqual([type]);
    }
  });

  it("leave in one packet where the client does not wait", async () => {
    const { packets, receive } = await session();
    packets.length = 0;
    receive(Buffer.concat([open, readAll, close]));
    await settled();
    expect(packets.map((packet) => packet[4])).toEqual([PacketType.HANDLE]);
    expect(packets[0]?.toString("latin1")).toContain("abc");
  });

  it("keep their order and their bytes where the window takes a part of one", async () => {
    const wide = await session();
    for (const bytes of [open, readAll, close]) {
      wide.receive(bytes);
      await settled();
    }
    const all = Buffer.concat(wide.packets);
    const narrow = await session((wide.packets[0]?.length ?? 0) + 7);
    for (const bytes of [open, readAll, close]) {
      narrow.receive(bytes);
      await tick();
    }
    while (Buffer.concat(narrow.packets).length < all.length) {
      outputOf(narrow.channel).adjustWindow(11);
      await settled();
    }
    expect(Buffer.concat(narrow.packets).equals(all)).toBe(true);
  });

  it("leave before the end that a broken packet makes", async () => {
    const { link, packets, receive } = await session();
    packets.length = 0;
    receive(Buffer.concat([open, Buffer.alloc(4)]));
    expect(packets.map((packet) => packet[4])).toEqual([PacketType.HANDLE]);
    await settled();
    expect(link.received.at(-1)).toBe("CLOSE");
  });
});
