import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChannelSender, type DataLink, MAX_DATA_LENGTH } from "../../src/connection/channel-sender.js";
import { EXTENDED_DATA_STDERR } from "../../src/protocol/constants.js";
import { encodeDataHead, encodeExtendedDataHead } from "../../src/protocol/messages/channels.js";

const stdout = encodeDataHead(7);
const stderr = encodeExtendedDataHead(7, EXTENDED_DATA_STDERR);

interface Packet {
  readonly stream: "stdout" | "stderr";
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

  sendData(head: Buffer, data: Uint8Array): void {
    expect(this.writable).toBe(true);
    expect(head.readUInt32BE(head.length - 4)).toBe(data.length);
    this.room--;
    this.packets.push({ stream: head.length === stdout.length ? "stdout" : "stderr", data: Buffer.from(data) });
  }

  open(room: number): void {
    this.room = room;
    const sender = this.#waiting;
    this.#waiting = undefined;
    sender?.pump();
  }

  sent(stream?: Packet["stream"]): Buffer {
    return Buffer.concat(
      this.packets.filter((packet) => stream === undefined || packet.stream === stream).map(({ data }) => data),
    );
  }
}

const nothing = () => {};

describe("a channel's sender", () => {
  it("keeps to the window, the packet size, the holds and the link, and loses nothing", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("write" as const), length: fc.nat(300), stderr: fc.boolean() }),
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
        for (const next of steps) {
          const before = link.packets.length;
          const held = releases.length > 0;
          if (next.kind === "write") {
            const data = Buffer.from(Array.from({ length: next.length }, () => bytes++ % 251));
            const index = written.push({ stream: next.stderr ? "stderr" : "stdout", data }) - 1;
            sender.write(next.stderr ? stderr : stdout, data, () => callbacks.push(index));
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
          expect(link.sent().length).toBeLessThanOrEqual(granted);
        }
        for (const release of releases) release();
        link.open(Number.POSITIVE_INFINITY);
        sender.adjustWindow(bytes);
        expect(link.packets.every(({ data }) => data.length > 0 && data.length <= maximumPacketSize)).toBe(true);
        const all = Buffer.concat(written.map(({ data }) => data));
        expect(link.sent().equals(all)).toBe(true);
        for (const stream of ["stdout", "stderr"] as const) {
          const expected = written.filter((packet) => packet.stream === stream).map(({ data }) => data);
          expect(link.sent(stream).equals(Buffer.concat(expected))).toBe(true);
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
    sender.write(stdout, Buffer.alloc(100_000), nothing);
    expect(link.packets.map(({ data }) => data.length)).toEqual([
      MAX_DATA_LENGTH,
      MAX_DATA_LENGTH,
      MAX_DATA_LENGTH,
      1696,
    ]);
  });

  it("sends full packets, not the window's crumbs, when there is room", () => {
    const link = new CongestedLink();
    const sender = new ChannelSender(link, 10, 4, nothing);
    sender.write(stdout, Buffer.alloc(12), nothing);
    sender.adjustWindow(100);
    expect(link.packets.map(({ data }) => data.length)).toEqual([4, 4, 2, 2]);
  });

  it("passes an empty write on in its turn, without a packet", () => {
    const link = new CongestedLink();
    const order: string[] = [];
    const sender = new ChannelSender(link, 0, 100, nothing);
    sender.write(stdout, Buffer.from("x"), () => order.push("x"));
    sender.write(stdout, Buffer.alloc(0), () => order.push("empty"));
    expect(order).toEqual([]);
    sender.adjustWindow(1);
    expect(order).toEqual(["x", "empty"]);
    expect(link.packets).toHaveLength(1);
  });

  it("can be written to from a callback", () => {
    const link = new CongestedLink();
    const sender = new ChannelSender(link, 100, 100, nothing);
    sender.write(stdout, Buffer.from("a"), () => sender.write(stdout, Buffer.from("c"), nothing));
    sender.write(stdout, Buffer.from("d"), nothing);
    expect(link.sent().toString()).toBe("acd");
  });

  it("tells when everything is out, and not before", () => {
    const link = new CongestedLink();
    let drained = 0;
    const sender = new ChannelSender(link, 3, 100, () => drained++);
    sender.write(stdout, Buffer.from("four"), nothing);
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
    sender.write(stdout, Buffer.from("abc"), () => expect.unreachable());
    sender.abandon();
    sender.adjustWindow(100);
    expect(link.sent().toString()).toBe("ab");
    expect(sender.idle).toBe(true);
  });
});
