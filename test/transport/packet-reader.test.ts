import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noneOpener, noneSealer } from "../../src/crypto/cipher/none.js";
import { DisconnectReason, MAX_PACKET_LENGTH } from "../../src/protocol/constants.js";
import { ProtocolError } from "../../src/protocol/errors.js";
import { PacketReader } from "../../src/transport/packet-reader.js";
import { MIB, memoryInUse } from "../attack/memory.js";
import { type PacketShape, sealPacket } from "../support/packet-framing.js";
import { packetSuites, recordingProtection } from "./packet-suites.js";

const clear = (payload: Uint8Array, shape?: PacketShape) => sealPacket(noneSealer, 0, payload, shape);
const lengthField = (length: number) => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(length >>> 0);
  return bytes;
};

function readAll(reader: PacketReader): Buffer[] {
  const payloads: Buffer[] = [];
  for (let payload = reader.next(); payload !== undefined; payload = reader.next()) payloads.push(Buffer.from(payload));
  return payloads;
}

describe.each(packetSuites)("PacketReader under $name", ({ createSealer, createOpener }) => {
  it("returns the same payloads however the stream is cut", () => {
    const payload = fc.uint8Array({ minLength: 1, maxLength: 400 });
    const cuts = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(payload, { minLength: 1, maxLength: 8 }), cuts, fc.boolean(), (payloads, lengths, late) => {
        const sealer = createSealer();
        let stream = Buffer.concat(payloads.map((bytes, index) => sealPacket(sealer, index, bytes)));
        const reader = new PacketReader(createOpener());
        const read: Buffer[] = [];
        for (const length of [...lengths, stream.length]) {
          reader.push(Buffer.from(stream.subarray(0, length)));
          stream = stream.subarray(length);
          if (!late) read.push(...readAll(reader));
        }
        read.push(...readAll(reader));
        expect(read).toEqual(payloads.map((bytes) => Buffer.from(bytes)));
        expect(reader.lastSequenceNumber).toBe(payloads.length - 1);
        expect(reader.buffered).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("returns packets that come byte by byte", () => {
    const sealer = createSealer();
    const stream = Buffer.concat(
      [Buffer.from("one"), Buffer.from("two")].map((bytes, index) => sealPacket(sealer, index, bytes)),
    );
    const reader = new PacketReader(createOpener());
    const read: string[] = [];
    for (const byte of stream) {
      reader.push(Buffer.of(byte));
      read.push(...readAll(reader).map(String));
    }
    expect(read).toEqual(["one", "two"]);
  });

  it("returns large packets that lie in two chunks, or in more", () => {
    const payloads = [20_000, 100_000, 5_000].map((length, index) => Buffer.alloc(length, index + 1));
    const cuts = [
      [1],
      [100],
      [4_095],
      [4_096],
      [19_999],
      [20_100],
      [70_000],
      [4_096, 4_097],
      [60_000, 90_000],
      [119_000],
    ];
    for (const places of [...cuts, [10_000, 30_000, 50_000, 121_000]]) {
      const sealer = createSealer();
      const stream = Buffer.concat(payloads.map((payload, index) => sealPacket(sealer, index, payload)));
      const reader = new PacketReader(createOpener());
      const read = [0, ...places].flatMap((place, index) => {
        reader.push(Buffer.from(stream.subarray(place, places[index])));
        return readAll(reader);
      });
      expect(read.map(({ length }) => length)).toEqual(payloads.map(({ length }) => length));
      expect(Buffer.concat(read).equals(Buffer.concat(payloads))).toBe(true);
      expect(reader.buffered).toBe(0);
    }
  });

  it("refuses a large packet in two chunks that was changed in either", () => {
    for (const place of [100, 9_000, 19_000]) {
      const packet = sealPacket(createSealer(), 0, Buffer.alloc(20_000, 1));
      packet[place] = ~(packet[place] ?? 0);
      const reader = new PacketReader(createOpener());
      reader.push(Buffer.from(packet.subarray(0, 10_000)));
      reader.push(Buffer.from(packet.subarray(10_000)));
      // In clear nothing is noticed.
      if (createOpener().tagLength === 0) expect(reader.next()).toHaveLength(20_000);
      else expect(() => reader.next()).toThrow(expect.objectContaining({ reason: DisconnectReason.MAC_ERROR }));
    }
  });

  it("takes the largest packet and none beyond it", () => {
    const sealer = createSealer();
    const { blockLength, lengthIsAligned } = sealer;
    const largest = Math.floor((MAX_PACKET_LENGTH + (lengthIsAligned ? 4 : 0)) / blockLength) * blockLength;
    const length = largest - (lengthIsAligned ? 4 : 0);
    const reader = new PacketReader(createOpener());
    reader.push(sealPacket(sealer, 0, Buffer.alloc(length - 5, 7), { padding: 4 }));
    expect(reader.next()?.length).toBe(length - 5);
    reader.push(sealPacket(sealer, 1, Buffer.alloc(length - 5 + blockLength, 7), { padding: 4 }));
    expect(() => reader.next()).toThrow(/packet length \d+ is over/);
  });

  it("takes up to 255 bytes of padding", () => {
    const sealer = createSealer();
    const reader = new PacketReader(createOpener());
    for (let payloadLength = 1; payloadLength <= 32; payloadLength++) {
      const aligned = (sealer.lengthIsAligned ? 5 : 1) + payloadLength;
      const padding = 255 - ((aligned + 255) % sealer.blockLength);
      reader.push(sealPacket(sealer, payloadLength - 1, Buffer.alloc(payloadLength, 1), { padding }));
      expect(reader.next()).toEqual(Buffer.alloc(payloadLength, 1));
    }
  });

  it.each([
    ["less than four bytes of padding", 0, 3],
    ["no padding", 0, 0],
    ["padding beyond the packet", 0, 255],
    ["padding over the whole payload", 1, undefined],
  ])("refuses %s", (_, payloadLength, claimed) => {
    const sealer = createSealer();
    const aligned = (sealer.lengthIsAligned ? 5 : 1) + payloadLength;
    const padding = 2 * sealer.blockLength - (aligned % sealer.blockLength);
    const reader = new PacketReader(createOpener());
    const paddingLength = claimed ?? padding + payloadLength;
    reader.push(sealPacket(sealer, 0, Buffer.alloc(payloadLength), { padding, paddingLength }));
    expect(() => reader.next()).toThrow("padding length");
  });

  it("allocates little for a packet of which only the beginning came", () => {
    const { headerLength } = createOpener();
    const payload = Buffer.alloc(200_000);
    const packets = Array.from({ length: 64 }, () => sealPacket(createSealer(), 0, payload));
    const readers = packets.map((packet) => {
      const reader = new PacketReader(createOpener());
      reader.push(Buffer.from(packet.subarray(0, headerLength)));
      return reader;
    });
    const before = memoryInUse();
    for (const reader of readers) expect(reader.next()).toBeUndefined();
    expect(memoryInUse() - before).toBeLessThan(4 * MIB);
    for (const [index, reader] of readers.entries()) {
      reader.push(Buffer.from(packets[index]?.subarray(headerLength) ?? []));
      expect(reader.next()?.length).toBe(payload.length);
    }
  });
});

describe("PacketReader", () => {
  it.each([0, 1, 4, 5, 6, 11, 13, 20 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, MAX_PACKET_LENGTH + 4])(
    "refuses a packet length of %i before anything else of the packet has come",
    (length) => {
      const reader = new PacketReader(noneOpener);
      reader.push(lengthField(length).subarray(0, 4));
      expect(() => reader.next()).toThrow(
        expect.objectContaining({ name: "ProtocolError", reason: DisconnectReason.PROTOCOL_ERROR }),
      );
    },
  );

  it("takes the shortest packet", () => {
    const reader = new PacketReader(noneOpener);
    reader.push(clear(Buffer.of(2)));
    expect(reader.next()).toEqual(Buffer.of(2));
  });

  it("counts sequence numbers on over new keys, or anew, and destroys the old ones", () => {
    const first = recordingProtection();
    const reader = new PacketReader(first.opener);
    for (let index = 0; index < 3; index++) reader.push(clear(Buffer.of(index)));
    readAll(reader);
    expect(first.sequenceNumbers).toEqual([0, 1, 2]);

    const second = recordingProtection();
    reader.changeKeys(second.opener, "continue");
    expect([first.destroyed, second.destroyed]).toEqual([["opener"], []]);
    reader.push(clear(Buffer.of(1)));
    readAll(reader);
    expect(second.sequenceNumbers).toEqual([3]);
    expect(reader.lastSequenceNumber).toBe(3);

    const third = recordingProtection();
    reader.changeKeys(third.opener, "reset");
    reader.push(Buffer.concat([clear(Buffer.of(1)), clear(Buffer.of(2))]));
    readAll(reader);
    expect(third.sequenceNumbers).toEqual([0, 1]);
  });

  it("takes new keys into use between two packets of one chunk", () => {
    const [, chacha, gcm] = packetSuites;
    if (chacha === undefined || gcm === undefined) throw new Error("no suites");
    const reader = new PacketReader(chacha.createOpener());
    reader.push(
      Buffer.concat([
        sealPacket(chacha.createSealer(), 0, Buffer.from("before")),
        sealPacket(gcm.createSealer(), 0, Buffer.from("behind")),
      ]),
    );
    expect(reader.next()?.toString()).toBe("before");
    reader.changeKeys(gcm.createOpener(), "reset");
    expect(reader.next()?.toString()).toBe("behind");
  });

  it("counts what the present keys have done", () => {
    const limits = { maximumPackets: 2 };
    const reader = new PacketReader(recordingProtection(limits).opener);
    const packet = clear(Buffer.from("payload"));
    reader.push(packet);
    reader.next();
    expect([reader.bytes, reader.exhausted]).toEqual([packet.length, false]);
    reader.push(packet);
    reader.next();
    expect([reader.bytes, reader.exhausted]).toEqual([2 * packet.length, true]);
    reader.changeKeys(recordingProtection({ maximumBytes: packet.length }).opener, "continue");
    expect([reader.bytes, reader.exhausted]).toEqual([0, false]);
    reader.push(packet);
    reader.next();
    expect(reader.exhausted).toBe(true);
  });

  it("counts the memory of what waits, and packs tiny chunks", () => {
    const reader = new PacketReader(noneOpener);
    const packets = Buffer.concat(Array.from({ length: 100 }, () => clear(Buffer.alloc(1000))));
    reader.push(packets);
    reader.keep();
    expect(reader.buffered).toBe(packets.length);
    expect(readAll(reader)).toHaveLength(100);
    expect(reader.buffered).toBe(0);
    for (const byte of packets) reader.push(Buffer.of(byte));
    reader.keep();
    expect(reader.buffered).toBe(packets.length);
    expect(readAll(reader)).toHaveLength(100);
    expect(reader.buffered).toBe(0);
  });

  it("keeps nothing in the memory of a chunk", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        const packets = Array.from({ length: 8 }, (_, index) => clear(Buffer.alloc(1000 * index + 1, index)));
        const stream = Buffer.concat(packets);
        const reader = new PacketReader(noneOpener);
        const block = Buffer.alloc(3000);
        const read: Buffer[] = [];
        for (let offset = 0, turn = 0; offset < stream.length; turn++) {
          const length = stream.copy(block, 0, offset, offset + (lengths[turn % lengths.length] ?? 1));
          offset += length;
          reader.push(block.subarray(0, length));
          // Some are read late.
          if (turn % 3 < 2) read.push(...readAll(reader));
          reader.keep();
          block.fill(0xff);
        }
        read.push(...readAll(reader));
        expect(read).toEqual(Array.from({ length: 8 }, (_, index) => Buffer.alloc(1000 * index + 1, index)));
      }),
      { numRuns: 60 },
    );
  });

  it("lets a payload be used while more comes, which a stream in memory brings as soon as it is written to", () => {
    const [first, rest] = [Buffer.alloc(10_000, 1), Buffer.alloc(20_000, 2)];
    const reader = new PacketReader(noneOpener);
    const stream = Buffer.concat([clear(first), clear(rest)]);
    reader.push(stream.subarray(0, 5000));
    expect(reader.next()).toBeUndefined();
    reader.keep();
    reader.push(stream.subarray(5000, 20_000));
    const payload = reader.next();
    reader.push(stream.subarray(20_000));
    reader.keep();
    expect(payload?.equals(first)).toBe(true);
    expect(reader.next()?.equals(rest)).toBe(true);
  });

  it("does not count a packet that is being put together, for which reading must go on", () => {
    const reader = new PacketReader(noneOpener);
    const packet = clear(Buffer.alloc(200_000));
    reader.push(packet.subarray(0, 150_000));
    expect(reader.next()).toBeUndefined();
    expect(reader.buffered).toBe(0);
    reader.push(packet.subarray(150_000));
    expect(reader.next()?.length).toBe(200_000);
  });

  it("throws nothing but ProtocolError, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 20 }), (chunks) => {
        const reader = new PacketReader(noneOpener);
        try {
          for (const chunk of chunks) {
            reader.push(Buffer.from(chunk));
            readAll(reader);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});
