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
