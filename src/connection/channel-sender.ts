import { ProtocolError } from "../protocol/errors.js";
import { setDataLength } from "../protocol/messages/channels.js";

/** Most data that goes into one packet, bytes; what every peer can take (RFC 4253 §6.1). */
export const MAX_DATA_LENGTH = 32 * 1024;

const MAX_WINDOW = 2 ** 32 - 1;

/**
 * Bytes that may be under way on a short path, whatever the window: sent, and not given credit back for. A client keeps in its
 * memory what it cannot take at once, and OpenSSH's gets slower the more that is.
 */
const MOST_UNDER_WAY = 512 * 1024;

/** The least time, milliseconds, in which credit comes back on a path where the window alone is the limit. */
const LONG_PATH = 2;

/** Milliseconds without credit after which twice as much may be under way: some peers give credit seldom. */
const CREDIT_TIME = 10;

/** The way to the peer, as a channel sees it. */
export interface DataLink {
  /** Whether data can be sent now. */
  readonly writable: boolean;
  /** Calls `sender.pump()` once data can be sent again. */
  waitUntilWritable(sender: ChannelSender): void;
  /** Sends one message; head and parts may be reused at once. */
  sendData(head: Buffer, parts: readonly Uint8Array[]): void;
}

/** Data of one type, which goes into messages of its own (RFC 4254 §5.2). */
export interface DataType {
  /** The message's fields before the data. */
  readonly head: Buffer;
  /** The stream that is written to: counts the bytes of the write under way, and of those it keeps back meanwhile. */
  readonly stream: { readonly writableLength: number };
}

type Sent = (error?: Error) => void;

/** One write, as far as it was not sent. */
class Item {
  readonly type: DataType;
  /** Bytes of the whole write. */
  readonly size: number;
  /** Bytes that remain. */
  length: number;
  /** Called once the writer's memory is not needed any more; `undefined` where that was before the rest is sent. */
  sent: Sent | undefined;
  #parts: readonly Uint8Array[];
  #next = 0;
  #offset = 0;

  constructor(type: DataType, parts: readonly Uint8Array[], sent: Sent) {
    this.type = type;
    this.size = parts.reduce((sum, part) => sum + part.length, 0);
    this.length = this.size;
    this.sent = sent;
    this.#parts = parts;
  }

  /** Moves up to `limit` bytes to `parts`, without a copy; returns how many. */
  take(limit: number, parts: Uint8Array[]): number {
    let taken = 0;
    while (taken < limit) {
      const part = this.#parts[this.#next];
      if (part === undefined) break;
      const start = this.#offset;
      const end = Math.min(part.length, start + limit - taken);
      parts.push(end - start === part.length ? part : part.subarray(start, end));
      taken += end - start;
      this.#offset = end;
      if (end === part.length) {
        this.#next++;
        this.#offset = 0;
      }
    }
    this.length -= taken;
    return taken;
  }

  /** Copies what remains, so that the writer's memory is free. */
  copy(): void {
    const parts: Uint8Array[] = [];
    const { length } = this;
    this.take(length, parts);
    this.#parts = [Buffer.concat(parts, length)];
    this.#next = 0;
    this.#offset = 0;
    this.length = length;
  }
}

/**
 * Sends a channel's data, in the order it was written, within the peer's window and packet size (RFC 4254 §5.2). A
 * packet does not end where a write ends, if more data of the same type waits.
 */
export class ChannelSender {
  readonly #link: DataLink;
  readonly #maximumPacketSize: number;
  readonly #drained: () => void;
  /** Bytes of data that were sent. */
  bytesSent = 0;
  #window: number;
  #underWay = 0;
  #mostUnderWay = MOST_UNDER_WAY;
  /** Bytes that the peer has given credit back for, and what it is to give that for next, to see how long that takes. */
  #creditGiven = 0;
  #sample: { readonly end: number; readonly sentAt: number } | undefined;
  /** The least time, milliseconds, that it took. */
  #creditTime = Number.POSITIVE_INFINITY;
  #wait: object | undefined;
  #queue: Item[] = [];
  /** The callbacks of writes that were dropped. */
  #abandoned: Sent[] = [];
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

  /** @param sent called when the parts may be reused: all was handed to the transport, or the rest copied for it */
  write(type: DataType, parts: readonly Uint8Array[], sent: Sent): void {
    this.#queue.push(new Item(type, parts, sent));
    this.pump();
  }

  /**
   * Sends what can be sent at once, if nothing waits before it. The bytes may be reused.
   *
   * @returns how many were sent
   */
  sendNow(type: DataType, bytes: Uint8Array): number {
    if (!this.idle || this.#pumping || type.stream.writableLength > 0) return 0;
    let sent = 0;
    while (this.#link.writable) {
      const length = Math.min(bytes.length - sent, this.#room);
      if (length === 0) break;
      this.#sendParts(type, [bytes.subarray(sent, sent + length)], length);
      sent += length;
    }
    return sent;
  }

  /** @throws {ProtocolError} when the window would exceed 2^32 - 1 bytes */
  adjustWindow(bytes: number): void {
    if (this.#window + bytes > MAX_WINDOW) throw new ProtocolError("the channel's window overflows");
    this.#window += bytes;
    this.#underWay = Math.max(0, this.#underWay - bytes);
    this.#wait = undefined;
    this.#measureCredit(bytes);
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

  /** Drops what waits. The rest of a write whose writer was told that it is sent is sent first. */
  abandon(): void {
    this.#wait = undefined;
    let told = 0;
    for (const { sent, length } of this.#queue) {
      if (sent === undefined) told += length;
      else this.#abandoned.push(sent);
    }
    const [first] = this.#queue;
    if (first !== undefined && told > 0 && this.#link.writable) this.#send(first.type, told);
    this.#queue = [];
  }

  /** Tells the writers of what was dropped; their stream should be destroyed by then, which frees the rest of it. */
  failAbandoned(createError: () => Error): void {
    for (const sent of this.#abandoned.splice(0)) sent(createError());
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
        if (item.length === 0) {
          this.#queue.shift();
          item.sent?.();
          continue;
        }
        if (!this.#link.writable) {
          this.#link.waitUntilWritable(this);
          return;
        }
        const limit = this.#room;
        if (limit === 0) {
          this.#awaitCredit();
          return;
        }
        if (!this.#getsMore(limit)) this.#send(item.type, limit);
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** Bytes that the next packet may have. */
  get #room(): number {
    return this.#underWay < this.#mostUnderWay ? Math.min(this.#window, this.#maximumPacketSize) : 0;
  }

  #measureCredit(bytes: number): void {
    this.#creditGiven += bytes;
    if (this.#sample === undefined || this.#creditGiven < this.#sample.end) return;
    this.#creditTime = Math.min(this.#creditTime, performance.now() - this.#sample.sentAt);
    this.#sample = undefined;
    if (this.#creditTime > LONG_PATH) this.#mostUnderWay = MAX_WINDOW;
    else if (this.#mostUnderWay === MAX_WINDOW) this.#mostUnderWay = MOST_UNDER_WAY;
  }

  /** As much is under way as may be. */
  #awaitCredit(): void {
    if (this.#window === 0 || this.#wait !== undefined) return;
    const wait = {};
    this.#wait = wait;
    // What has come while others had their turn is read before the immediate.
    setTimeout(() => setImmediate(() => this.#wait === wait && this.#sendMore()), CREDIT_TIME);
  }

  #sendMore(): void {
    this.#wait = undefined;
    this.#mostUnderWay *= 2;
    this.pump();
  }

  /**
   * If the queue ends before the next packet is full, and the last stream keeps more back, the stream is told that its
   * write is sent. A stream of Node.js then hands over at once what it keeps.
   */
  #getsMore(limit: number): boolean {
    const last = this.#queue.at(-1);
    if (last?.sent === undefined || last.type.stream.writableLength <= last.size) return false;
    let length = 0;
    for (const item of this.#queue) {
      if (item.type !== last.type) return false;
      length += item.length;
      if (length >= limit) return false;
    }
    const { sent } = last;
    last.copy();
    last.sent = undefined;
    sent();
    return true;
  }

  /** Sends one packet of up to `limit` bytes that are at the front of the queue and of this type. */
  #send(type: DataType, limit: number): void {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (const item of this.#queue) {
      if (length === limit || item.type !== type) break;
      length += item.take(limit - length, parts);
    }
    this.#sendParts(type, parts, length);
  }

  #sendParts(type: DataType, parts: readonly Uint8Array[], length: number): void {
    setDataLength(type.head, length);
    this.#link.sendData(type.head, parts);
    this.#window -= length;
    this.#underWay += length;
    this.bytesSent += length;
    this.#sample ??= { end: this.bytesSent, sentAt: performance.now() };
  }
}
