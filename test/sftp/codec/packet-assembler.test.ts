import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_PACKET_LENGTH } from "../../../src/sftp/codec/constants.js";
import { type Packet, PacketAssembler, PacketLengthError } from "../../../src/sftp/codec/packet-assembler.js";
import { returnPacketBuffer, takePacketBuffer } from "../../../src/sftp/codec/packet-buffers.js";
import { packet } from "../../support/sftp-packets.js";

/** All packets that are whole after each chunk, whose memory is used again at once. */
function* packetsOf(assembler: PacketAssembler, chunks: Iterable<Buffer>): Generator<Packet> {
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk);
    assembler.add(lent);
    const first = assembler.next();
    assembler.keep();
    lent.fill(0xff);
    for (let next = first; next !== undefined; next = assembler.next()) yield next;
  }
}

function cut(stream: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (stream.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, index) => stream.subarray(start, ends[index] ?? stream.length));
}

/** The buffers of a size that lie in the pool, which holds them again afterwards. */
function spareBuffers(length: number): Buffer[] {
  const buffers: Buffer[] = [];
  // Those that were made for this test hold nothing but zeros and are as many as the pool has room for.
  for (let count = 0; count < 256; count++) buffers.push(takePacketBuffer(length));
  for (const buffer of [...buffers].reverse()) returnPacketBuffer(buffer);
  return buffers;
}

describe("PacketAssembler", () => {
  const lengths = fc.oneof(
    { weight: 10, arbitrary: fc.integer({ min: 5, max: 100 }) },
    { weight: 1, arbitrary: fc.constantFrom(5, 34 * 1024, 34 * 1024 + 1, MAX_PACKET_LENGTH - 1, MAX_PACKET_LENGTH) },
  );

  it("finds the same packets, however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(lengths, { maxLength: 8 }),
        fc.array(fc.nat({ max: 2 ** 31 }), { maxLength: 30 }),
        fc.boolean(),
        (sizes, places, releaseAtOnce) => {
          const bodies = sizes.map((size, index) => Buffer.alloc(size, index + 1));
          const stream = Buffer.concat(bodies.map((body) => packet(body)));
          const assembler = new PacketAssembler();
          const found: Buffer[] = [];
          const held: Packet[] = [];
          for (const next of packetsOf(assembler, cut(stream, places))) {
            expect(next.memory).toBeGreaterThanOrEqual(next.bytes.length);
            if (releaseAtOnce) {
              found.push(Buffer.from(next.bytes));
              next.release();
            } else {
              held.push(next);
            }
          }
          for (const next of held) found.push(next.bytes);
          expect(found.map(({ length }) => length)).toEqual(sizes);
          expect(found.every((body, index) => body.equals(bodies[index] ?? Buffer.alloc(0)))).toBe(true);
          for (const next of held) next.release();
          expect(assembler.hasPart).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("finds packets in a stream that comes byte by byte", () => {
    const bodies = [Buffer.from("first"), Buffer.from("the second")];
    const stream = Buffer.concat(bodies.map((body) => packet(body)));
    const chunks = Array.from(stream, (byte) => Buffer.of(byte));
    expect([...packetsOf(new PacketAssembler(), chunks)].map(({ bytes }) => bytes)).toEqual(bodies);
  });

  it.each([0, 1, 2, 3, 4, MAX_PACKET_LENGTH + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1])(
    "refuses a length of %i, in one piece or byte by byte, as soon as it is there",
    (length) => {
      const bytes = packet(Buffer.alloc(0), length);
      expect(() => [...packetsOf(new PacketAssembler(), [bytes])]).toThrow(PacketLengthError);
      const pieces = Array.from(bytes, (byte) => Buffer.of(byte));
      expect(() => [...packetsOf(new PacketAssembler(), pieces)]).toThrow(PacketLengthError);
      const behind = [Buffer.concat([packet(Buffer.from("whole")), bytes])];
      const found = packetsOf(new PacketAssembler(), behind);
      expect(found.next().value?.bytes.toString()).toBe("whole");
      expect(() => found.next()).toThrow(PacketLengthError);
    },
  );

  it("takes no memory for what is longer than a packet may be", () => {
    expect(() => takePacketBuffer(MAX_PACKET_LENGTH + 1025)).toThrow(RangeError);
  });

  it("tells whether a packet has begun", () => {
    const assembler = new PacketAssembler();
    const stream = packet(Buffer.from("hello"));
    for (let index = 0; index < stream.length; index++) {
      expect(assembler.hasPart).toBe(index > 0);
      assembler.add(stream.subarray(index, index + 1));
      expect(assembler.next() !== undefined).toBe(index === stream.length - 1);
    }
    expect(assembler.hasPart).toBe(false);
  });

  it("gives each buffer back once: none is given out twice", () => {
    const body = Buffer.alloc(20_000, 7);
    const chunks = (): Buffer[] => cut(packet(body), [10_000]);
    const assembler = new PacketAssembler();
    for (let round = 0; round < 3; round++) {
      for (const next of packetsOf(assembler, chunks())) next.release();
    }
    const [first] = packetsOf(assembler, chunks());
    const [second] = packetsOf(assembler, chunks());
    expect(first?.bytes.buffer).not.toBe(second?.bytes.buffer);
    first?.release();
    second?.release();
    const spare = spareBuffers(34 * 1024);
    expect(new Set(spare).size).toBe(spare.length);
    expect(spare.filter((buffer) => [first?.bytes.buffer, second?.bytes.buffer].includes(buffer.buffer))).toHaveLength(
      2,
    );
  });

  it("gives back the buffer of a packet that will not end, once", () => {
    const assembler = new PacketAssembler();
    const stream = packet(Buffer.alloc(30_000, 9));
    expect([...packetsOf(assembler, [stream.subarray(0, 29_999)])]).toEqual([]);
    assembler.close();
    assembler.close();
    const spare = spareBuffers(34 * 1024);
    expect(new Set(spare).size).toBe(spare.length);
    expect(spare.filter((buffer) => buffer.subarray(0, 29_995).every((byte) => byte === 9))).toHaveLength(1);
    expect(assembler.hasPart).toBe(false);
  });
});

describe("packet buffers", () => {
  it("are kept up to a limit", () => {
    const buffers = Array.from({ length: 40 }, () => takePacketBuffer(MAX_PACKET_LENGTH));
    for (const buffer of buffers) returnPacketBuffer(buffer);
    const again = Array.from({ length: 40 }, () => takePacketBuffer(MAX_PACKET_LENGTH));
    const kept = again.filter((buffer) => buffers.includes(buffer));
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.length * (MAX_PACKET_LENGTH + 1024)).toBeLessThanOrEqual(4 * 1024 * 1024);
  });

  it("are of the sizes that packets need", () => {
    expect(takePacketBuffer(1).length).toBe(34 * 1024);
    expect(takePacketBuffer(34 * 1024 + 1).length).toBe(MAX_PACKET_LENGTH + 1024);
  });

  it("do not take in a buffer from elsewhere", () => {
    const stranger = Buffer.alloc(1000);
    returnPacketBuffer(stranger);
    expect(spareBuffers(1000)).not.toContain(stranger);
  });
});
