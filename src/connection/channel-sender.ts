import { ProtocolError } from "../protocol/errors.js";
import { setDataLength } from "../protocol/messages/channels.js";

/** Most data that goes into one packet, bytes; what every peer can take (RFC 4253 §6.1). */
export const MAX_DATA_LENGTH = 32 * 1024;

const MAX_WINDOW = 2 ** 32 - 1;

/** The way to the peer, as a channel sees it. */
export interface DataLink {
  /** Whether data can be sent now. */
  readonly writable: boolean;
  /** Calls `sender.pump()` once data can be sent again. */
  waitUntilWritable(sender: ChannelSender): void;
  sendData(head: Buffer, data: Uint8Array): void;
}

type Sent = (error?: Error) => void;

interface Item {
  /** The message's fields before the data. */
  readonly head: Buffer;
  readonly data: Uint8Array;
  readonly sent: Sent;
}

/** Sends a channel's data, in the order it was written, within the peer's window and packet size (RFC 4254 §5.2). */
export class ChannelSender {
  readonly #link: DataLink;
  readonly #maximumPacketSize: number;
  readonly #drained: () => void;
  #window: number;
  #queue: Item[] = [];
  /** Who waits for what was dropped. */
  #abandoned: Sent[] = [];
  #offset = 0;
  #holds = 0;
  #pumping = false;

  /** @param drained called whenever everything written so far has gone out */
  constructor(link: DataLink, window: number, maximumPacketSize: number, drained: () => void) {
    this.#link = link;
    this.#window = window;
    this.#maximumPacketSize = Math.min(maximumPacketSize, MAX_DATA_LENGTH);
    this.#drained = drained;
  }

  /** Whether nothing waits to be sent and nothing keeps it from being sent. */
  get idle(): boolean {
    return this.#queue.length === 0 && this.#holds === 0;
  }

  /** @param sent called when the last byte was handed to the transport */
  write(head: Buffer, data: Uint8Array, sent: Sent): void {
    this.#queue.push({ head, data, sent });
    this.pump();
  }

  /** @throws {ProtocolError} when the window would exceed 2^32 - 1 bytes */
  adjustWindow(bytes: number): void {
    if (this.#window + bytes > MAX_WINDOW) throw new ProtocolError("the channel's window overflows");
    this.#window += bytes;
    this.pump();
  }

  /** Keeps output back until the returned function is called. */
  hold(): () => void {
    this.#holds++;
    return () => {
      this.#holds--;
      this.pump();
    };
  }

  /** Drops what waits. */
  abandon(): void {
    for (const { sent } of this.#queue.splice(0)) this.#abandoned.push(sent);
    this.#offset = 0;
  }

  /** Tells the writers of what was dropped; their stream should be destroyed by then, which frees the rest of it. */
  failAbandoned(error: Error): void {
    for (const sent of this.#abandoned.splice(0)) sent(error);
  }

  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#holds === 0) {
        const item = this.#queue[0];
        if (item === undefined) {
          this.#drained();
          return;
        }
        if (!this.#send(item)) return;
        this.#queue.shift();
        this.#offset = 0;
        item.sent();
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** Sends as much of an item as may go now; tells whether that was all. */
  #send({ head, data }: Item): boolean {
    while (this.#offset < data.length) {
      if (!this.#link.writable) {
        this.#link.waitUntilWritable(this);
        return false;
      }
      const length = Math.min(data.length - this.#offset, this.#window, this.#maximumPacketSize);
      if (length === 0) return false;
      setDataLength(head, length);
      this.#link.sendData(head, data.subarray(this.#offset, this.#offset + length));
      this.#window -= length;
      this.#offset += length;
    }
    return true;
  }
}
