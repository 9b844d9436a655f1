import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FileHandle, FileSystem } from "../../../src/files/file-system.js";
import type { Channel } from "../../../src/index.js";
import { MessageNumber } from "../../../src/protocol/constants.js";
import { OpenFlag, PacketType } from "../../../src/sftp/codec/constants.js";
import { SFTPServer } from "../../../src/sftp/server/sftp-server.js";
import { inputOf, openTestChannel, settled } from "../../connection/test-channel.js";
import { PacketClient } from "../../support/packet-client.js";
import { channelData, channelRequest, readChannelData, windowAdjust } from "../../support/packet-messages.js";
import { GuideServer, USERS } from "../../support/server.js";
import { TestServer } from "../../support/server-start.js";
import { encodeFields, init, NO_ATTRIBUTES, request } from "../../support/sftp-packets.js";

const FULL = 32 * 1024;
const DATA_HEAD = 13;

const attributes = { type: "file", size: 1e9, permissions: 0o644, accessTime: 0, modifyTime: 0 } as const;

/** One file without end. */
class EndlessFile implements FileSystem {
  readonly #read: () => void | Promise<void>;

  /** @param read called for each READ */
  constructor(read: () => void | Promise<void> = () => {}) {
    this.#read = read;
  }

  lstat() {
    return attributes;
  }

  open(): FileHandle {
    return {
      read: async (buffer) => {
        await this.#read();
        return buffer.length;
      },
    };
  }
}

const open = request(PacketType.OPEN, 1, "/file", OpenFlag.READ, NO_ATTRIBUTES);
const handle = encodeFields(1);
const reads = (count: number) =>
  Buffer.concat(
    Array.from({ length: count }, (_, id) => request(PacketType.READ, id, handle, BigInt(id * FULL), FULL)),
  );

describe("replies to READ for 32 KiB that are made in one turn of the event loop", () => {
  it("leave in full packets, although they are made one after the other", async () => {
    const { channel, link } = openTestChannel();
    const lengths: number[] = [];
    let ticks = 0;
    const file = new EndlessFile(async () => {
      for (let tick = ticks++; tick > 0; tick--) await new Promise<void>((resolve) => process.nextTick(resolve));
    });
    new SFTPServer(channel, { fileSystem: file });
    inputOf(channel).receiveData(Buffer.concat([init(), open]));
    await settled();
    link.sendData = (_head, parts) => lengths.push(total(parts));
    inputOf(channel).receiveData(reads(10));
    await settled();
    expect(lengths).toEqual([...Array(10).fill(FULL), 10 * DATA_HEAD]);
  });
});

class EndlessFileServer extends GuideServer {
  file: FileSystem = new EndlessFile();

  override checkChannelSubsystemRequest(channel: Channel): boolean {
    new SFTPServer(channel, { fileSystem: this.file });
    return true;
  }
}

describe("replies to READ for 32 KiB that wait for the client's window", () => {
  const server = new EndlessFileServer();
  let started: TestServer;
  beforeAll(async () => {
    started = await TestServer.start({ server });
  });
  afterAll(() => started[Symbol.asyncDispose]());

  it("leave in full packets on the wire", async () => {
    const count = 64;
    let missing = count;
    const allRead = new Promise<void>((resolve) => {
      server.file = new EndlessFile(() => {
        if (--missing === 0) resolve();
      });
    });
    const client = await PacketClient.login(started.port, "admin", USERS.admin.password);
    const window = 1_000;
    const { id } = await client.openSession({ window, maxPacket: FULL });
    client.sendPacket(channelRequest(id, "subsystem", "want-reply", encodeFields("sftp")));
    client.sendPacket(channelData(id, Buffer.concat([init(), open])));
    const opened = total(await receiveReplies(client, 2));
    client.sendPacket(channelData(id, reads(count)));
    await allRead;
    await settled();
    client.sendPacket(windowAdjust(id, 2 ** 31));
    const [first, ...others] = await receiveReplies(client, count);
    await client.close();
    expect(first?.length).toBe(window - opened);
    const rest = count * (DATA_HEAD + FULL) - (window - opened);
    const full = Math.floor(rest / FULL);
    expect(others.map(({ length }) => length)).toEqual([...Array(full).fill(FULL), rest % FULL]);
  });
});

const total = (packets: readonly Uint8Array[]) => packets.reduce((sum, { length }) => sum + length, 0);

/** The data of the packets in which so many replies come. */
async function receiveReplies(client: PacketClient, count: number): Promise<Buffer[]> {
  const skip = [MessageNumber.CHANNEL_WINDOW_ADJUST, MessageNumber.CHANNEL_SUCCESS];
  const packets: Buffer[] = [];
  let input = Buffer.alloc(0);
  for (let replies = 0; replies < count; ) {
    const data = readChannelData(await client.expect(MessageNumber.CHANNEL_DATA, { skip }));
    packets.push(data);
    input = Buffer.concat([input, data]);
    while (input.length >= 4 && input.length >= 4 + input.readUInt32BE()) {
      input = input.subarray(4 + input.readUInt32BE());
      replies++;
    }
  }
  return packets;
}
