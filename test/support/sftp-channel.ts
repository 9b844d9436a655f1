import { MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import type { OpenedChannel, PacketClient } from "./packet-client.js";
import { channelData, channelRequest, windowAdjust } from "./packet-messages.js";

/** Bytes that a message of data carries. */
const PIECE = 32 * 1024;

/**
 * SFTP over a channel of SSH, packet by packet: the client decides what the server may send and how much of it is
 * read, and keeps to the window that the server gives.
 */
export class SFTPChannel {
  readonly client: PacketClient;
  readonly #channel: OpenedChannel;
  /** Bytes that may still be sent. */
  #window: number;
  #input = Buffer.alloc(0);
  /** Packets that came. */
  replies = 0;

  private constructor(client: PacketClient, channel: OpenedChannel) {
    this.client = client;
    this.#channel = channel;
    this.#window = channel.window;
  }

  /** @param window bytes that the server may send */
  static async open(client: PacketClient, window: number): Promise<SFTPChannel> {
    const channel = await client.openSession({ window });
    const name = new Writer().writeString("sftp").toBuffer();
    client.sendPacket(channelRequest(channel.id, "subsystem", "want-reply", name));
    await client.expect(MessageNumber.CHANNEL_SUCCESS, { skip: [MessageNumber.CHANNEL_WINDOW_ADJUST] });
    return new SFTPChannel(client, channel);
  }

  /** Lets the server send more. */
  allow(bytes: number): void {
    this.client.sendPacket(windowAdjust(this.#channel.id, bytes));
  }

  /**
   * Sends bytes within the window, and waits for more of it as long as the server gives some within `idle`
   * milliseconds. Returns how many bytes went out.
   */
  async send(bytes: Buffer, idle = 1_000): Promise<number> {
    let sent = 0;
    while (sent < bytes.length) {
      const piece = Math.min(PIECE, this.#window, bytes.length - sent);
      if (piece === 0) {
        if (!(await this.#next(idle))) return sent;
        continue;
      }
      this.client.sendPacket(channelData(this.#channel.id, bytes.subarray(sent, sent + piece)));
      this.#window -= piece;
      sent += piece;
    }
    return sent;
  }

  /** Reads until `count` packets have come in all. */
  async receive(count: number): Promise<void> {
    while (this.replies < count) {
      if (!(await this.#next(10_000))) throw new Error(`waited in vain for ${count} replies, ${this.replies} came`);
    }
  }

  /** Takes the next message; `false` when none comes. */
  async #next(timeout: number): Promise<boolean> {
    const payload = await this.client.nextPacket(timeout).catch(() => undefined);
    if (payload === undefined) return false;
    const fields = new Reader(payload, 5);
    if (payload[0] === MessageNumber.CHANNEL_WINDOW_ADJUST) this.#window += fields.readUint32();
    if (payload[0] === MessageNumber.CHANNEL_DATA) this.#count(fields.readString());
    return true;
  }

  #count(data: Buffer): void {
    this.#input = Buffer.concat([this.#input, data]);
    while (this.#input.length >= 4) {
      const length = 4 + this.#input.readUInt32BE();
      if (this.#input.length < length) return;
      this.#input = this.#input.subarray(length);
      this.replies++;
    }
  }
}
