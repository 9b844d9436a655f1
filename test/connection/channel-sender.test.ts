import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { ChannelSender, type DataLink, type DataType, MAX_DATA_LENGTH } from "../../src/connection/channel-sender.js";
import { EXTENDED_DATA_STDERR } from "../../src/protocol/constants.js";
import { encodeDataHead, encodeExtendedDataHead } from "../../src/protocol/messages/channels.js";

/** A stream that keeps nothing back. */
const stream = { writableLength: 0 };
const stdout: DataType = { head: encodeDataHead(7), stream };
const stderr: DataType = { head: encodeExtendedDataHead(7, EXTENDED_DATA_STDERR), stream };

interface Packet {
  readonly type: DataType;
  readonly data: Buffer;
}

/** Takes a number of packets and then none until it is given more room. */
class CongestedLink implements DataLink {
  readonly packets: Packet[] = [];
  room: number;
  #waiting: ChannelSender | undefined;

  constructor(room = Number.POSITIVE_INFINITY) {
    this.room = room;
  }

  get writable(): boolean {
    return this.room > 0;
  }

  waitUntilWritable(sender: ChannelSender): void {
    this.#waiting = sender;
  }

  sendData(head: Buffer, parts: readonly Uint8Array[]): void {
    const data = Buffer.concat(parts);
    expect(this.writable).toBe(true);
    expect(head.readUInt32BE(head.length - 4)).toBe(data.length);
    this.room--;
    this.packets.push({ type: head === stdout.head ? stdout : stderr, data });
    this.onPacket(data.length);
  }

  onPacket(_length: number): void {}

  open(room: number): void {
    this.room = room;
    const sender = this.#waiting;
    this.#waiting = undefined;
    sender?.pump();
  }

  sent(type?: DataType): Buffer {
    return Buffer.concat(
      this.packets.filter((packet) => type === undefined || packet.type === type).map(({ data }) => data),
    );
  }

  get lengths(): number[] {
    return this.packets.map(({ data }) => data.length);
  }
}

const nothing = () => {};

/** Cuts bytes into two parts, of which either may be empty. */
const cut = (data: Buffer, at: number): Buffer[] => [data.subarray(0, at), data.subarray(at)];

describe("a channel's sender", () => {
  it("keeps to the window, the packet size, the holds and the link, fills each packet, and loses nothing", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("write" as const), length: fc.nat(300), cut: fc.nat(300), stderr: fc.boolean() }),
      fc.record({
        kind: fc.constant("write now" as const),
        length: fc.integer({ min: 1, max: 300 }),
        stderr: fc.boolean(),
      }),
      fc.record({ kind: fc.constant("adjust" as const), bytes: fc.nat(500) }),
      fc.record({ kind: fc.constant("hold" as const) }),
      fc.record({ kind: fc.constant("release" as const) }),
      fc.record({ kind: fc.constant("room" as const), packets: fc.nat(5) }),
    );
    const setting = { window: fc.nat(1000), maximumPacketSize: fc.integer({ min: 1, max: 200 }) };
    fc.assert(
      fc.property(fc.record(setting), fc.array(step, { maxLength: 60 }), ({ window, maximumPacketSize }, steps) => {
        const link = new CongestedLink(3);
        const sender = new ChannelSender(link, window, maximumPacketSize, nothing);
        const releases: (() => void)[] = [];
        const written: Packet[] = [];
        const callbacks: number[] = [];
        let granted = window;
        let bytes = 0;
        let sent = 0;
        /** Bytes that wait and are of one type, from the first that was not sent. */
        const waiting = () => {
          let start = 0;
          let type: DataType | undefined;
          let length = 0;
          for (const write of written) {
            const end = start + write.data.length;
            if (end > sent) {
              type ??= write.type;
              if (write.type !== type) break;
              length += end - Math.max(start, sent);
            }
            start = end;
          }
          return length;
        };
        link.onPacket = (length) => {
          expect(length).toBe(Math.min(maximumPacketSize, granted - sent, waiting()));
          sent += length;
        };
        for (const next of steps) {
          const before = link.packets.length;
          const held = releases.length > 0;
          if (next.kind === "write") {
            const data = Buffer.from(Array.from({ length: next.length }, () => bytes++ % 251));
            const type = next.stderr ? stderr : stdout;
            const index = written.push({ type, data }) - 1;
            sender.write(type, cut(data, next.cut), () => callbacks.push(index));
          } else if (next.kind === "write now") {
            const data = Buffer.from(Array.from({ length: next.length }, () => bytes++ % 251));
            const type = next.stderr ? stderr : stdout;
            const borrowed = Buffer.from(data);
            const index = written.push({ type, data }) - 1;
            const now = sender.sendNow(type, borrowed);
            borrowed.fill(255, 0, now);
            if (now < data.length) sender.write(type, [borrowed.subarray(now)], () => callbacks.push(index));
            else callbacks.push(index);
          } else if (next.kind === "adjust") {
            granted += next.bytes;
            sender.adjustWindow(next.bytes);
          } else if (next.kind === "hold") {
            releases.push(sender.hold());
          } else if (next.kind === "release") {
            releases.pop()?.();
          } else {
            link.open(next.packets);
          }
          if (held && releases.length > 0) expect(link.packets.length).toBe(before);
        }
        for (const release of releases) release();
        link.open(Number.POSITIVE_INFINITY);
        granted += bytes;
        sender.adjustWindow(bytes);
        expect(link.packets.every(({ data }) => data.length > 0)).toBe(true);
        expect(link.sent().equals(Buffer.concat(written.map(({ data }) => data)))).toBe(true);
        for (const type of [stdout, stderr]) {
          const expected = written.filter((write) => write.type === type).map(({ data }) => data);
          expect(link.sent(type).equals(Buffer.concat(expected))).toBe(true);
        }
        expect(callbacks).toEqual(written.map((_, index) => index));
        expect(sender.idle).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("never makes a packet larger than what every peer can take", () => {
    const link = new CongestedLink();
    const sender = new ChannelSender(link, 2 ** 32 - 1, 2 ** 32 - 1, nothing);
    sender.write(stdout, [Buffer.alloc(100_000)], nothing);
    expect(link.lengths).toEqual([MAX_DATA_LENGTH, MAX_DATA_LENGTH, MAX_DATA_LENGTH, 1696]);
  });

  it("sends full packets, not the window's crumbs, when there is room", () => {
    const link = new CongestedLink();
    const sender = new ChannelSender(link, 10, 4, nothing);
    sender.write(stdout, [Buffer.alloc(12)], nothing);
    sender.adjustWindow(100);
    expect(link.lengths).toEqual([4, 4, 2, 2]);
  });

  it("sends nothing at once behind what waits, and what its stream keeps back", () => {
    const link = new CongestedLink();
    const busy = { head: stdout.head, stream: { writableLength: 5 } };
    const sender = new ChannelSender(link, 4, 100, nothing);
    expect(sender.sendNow(busy, Buffer.from("now"))).toBe(0);
    expect(sender.sendNow(stdout, Buffer.from("first"))).toBe(4);
    sender.write(stderr, [Buffer.from("second")], nothing);
    expect(sender.sendNow(stdout, Buffer.from("third"))).toBe(0);
    sender.adjustWindow(100);
    expect(sender.sendNow(stdout, Buffer.from("third"))).toBe(5);
    expect(link.sent().toString()).toBe("firssecondthird");
  });

  it("passes an empty write on in its turn, without a packet", () => {
    const link = new CongestedLink();
    const order: string[] = [];
    const sender = new ChannelSender(link, 0, 100, nothing);
    sender.write(stdout, [Buffer.from("x")], () => order.push("x"));
    sender.write(stdout, [Buffer.alloc(0)], () => order.push("empty"));
    expect(order).toEqual([]);
    sender.adjustWindow(1);
    expect(order).toEqual(["x", "empty"]);
    expect(link.packets).toHaveLength(1);
  });

  it("can be written to from a callback", () => {
    const link = new CongestedLink();
    const sender = new ChannelSender(link, 100, 100, nothing);
    sender.write(stdout, [Buffer.from("a")], () => sender.write(stdout, [Buffer.from("c")], nothing));
    sender.write(stdout, [Buffer.from("d")], nothing);
    expect(link.sent().toString()).toBe("acd");
  });

  it("tells when everything is out, and not before", () => {
    const link = new CongestedLink();
    let drained = 0;
    const sender = new ChannelSender(link, 3, 100, () => drained++);
    sender.write(stdout, [Buffer.from("four")], nothing);
    expect([drained, sender.idle]).toEqual([0, false]);
    sender.adjustWindow(1);
    expect([drained, sender.idle]).toEqual([1, true]);
    const release = sender.hold();
    expect(sender.idle).toBe(false);
    sender.adjustWindow(10);
    expect(drained).toBe(1);
    release();
    expect(drained).toBe(2);
  });

  it("once abandoned, sends nothing more and calls nobody", () => {
    const link = new CongestedLink();
    const sender = new ChannelSender(link, 2, 100, nothing);
    sender.write(stdout, [Buffer.from("abc")], () => expect.unreachable());
    sender.abandon();
    sender.adjustWindow(100);
    expect(link.sent().toString()).toBe("ab");
    expect(sender.idle).toBe(true);
  });
});

describe("what a channel's sender has under way", () => {
  const WINDOW = 4 * 1024 * 1024;
  const MOST = 512 * 1024;
  const sendAll = (link: CongestedLink) => {
    const sender = new ChannelSender(link, WINDOW, 32 * 1024, nothing);
    sender.write(stdout, [Buffer.alloc(WINDOW)], nothing);
    return sender;
  };

  it("is half a mebibyte on a path where credit comes at once", () => {
    const sender = new ChannelSender(new CongestedLink(), WINDOW, 32 * 1024, nothing);
    sender.write(stdout, [Buffer.alloc(1)], nothing);
    sender.adjustWindow(1);
    sender.write(stdout, [Buffer.alloc(WINDOW)], nothing);
    expect(sender.bytesSent).toBe(MOST + 1);
    for (let credits = 1; credits <= 20; credits++) {
      sender.adjustWindow(96 * 1024);
      expect(sender.bytesSent).toBe(MOST + 1 + credits * 96 * 1024);
    }
  });

  it("is all of the window where the peer gives no credit before it has that", async () => {
    const sender = sendAll(new CongestedLink());
    await vi.waitFor(() => expect(sender.bytesSent).toBe(WINDOW));
  });

  it("is all of the window on a path where credit takes its time", async () => {
    const sender = sendAll(new CongestedLink());
    await new Promise((resolve) => setTimeout(resolve, 5));
    sender.adjustWindow(MOST);
    expect(sender.bytesSent).toBe(WINDOW);
  });
});
