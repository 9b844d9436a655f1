import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noneSealer } from "../../src/crypto/cipher/none.js";
import type { PacketSealer } from "../../src/crypto/cipher/packet-cipher.js";
import { PacketReader } from "../../src/transport/packet-reader.js";
import { PacketWriter } from "../../src/transport/packet-writer.js";
import { sendBlocks } from "../../src/transport/send-blocks.js";
import { packetSuites, recordingProtection } from "./packet-suites.js";

interface Written {
  readonly bytes: Buffer;
  readonly done: (() => void) | undefined;
}

function createWriter(sealer = noneSealer) {
  const outputs: Written[] = [];
  const writer = new PacketWriter(sealer, { output: (bytes, done) => outputs.push({ bytes, done }) });
  return { writer, outputs };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** How many bytes stay in memory for these. */
const heldBy = (outputs: readonly Written[]) =>
  [...new Set(outputs.map(({ bytes }) => bytes.buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0);

describe.each(packetSuites)("PacketWriter under $name", ({ createSealer, createOpener }) => {
  it("writes what PacketReader reads, in order", () => {
    const payload = fc.uint8Array({ minLength: 1, maxLength: 500 });
    fc.assert(
      fc.property(fc.array(payload, { minLength: 1, maxLength: 10 }), fc.nat(500), (payloads, cut) => {
        const { writer, outputs } = createWriter(createSealer());
        for (const bytes of payloads) {
          const whole = Buffer.from(bytes);
          // As a head and two parts, of which any may be empty.
          writer.write(whole.subarray(0, cut), [whole.subarray(cut, 2 * cut), whole.subarray(2 * cut)]);
        }
        writer.flush();
        const reader = new PacketReader(createOpener());
        for (const { bytes } of outputs) reader.push(Buffer.from(bytes));
        for (const bytes of payloads) expect(reader.next()).toEqual(Buffer.from(bytes));
        expect(reader.next()).toBeUndefined();
        expect(reader.buffered).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it("pads with at least four bytes and no more than it must", () => {
    const { blockLength, lengthIsAligned, tagLength } = createSealer();
    for (let length = 1; length <= 2 * blockLength + 1; length++) {
      const { writer, outputs } = createWriter(createSealer());
      writer.write(Buffer.alloc(length));
      writer.flush();
      const packet = Buffer.concat(outputs.map(({ bytes }) => bytes));
      const padding = packet.length - 4 - 1 - length - tagLength;
      expect(padding).toBeGreaterThanOrEqual(4);
      expect(padding).toBeLessThan(4 + blockLength);
      expect((packet.length - tagLength - (lengthIsAligned ? 0 : 4)) % blockLength).toBe(0);
    }
  });

  it("writes a packet that is larger than a block", () => {
    const { writer, outputs } = createWriter(createSealer());
    const payload = Buffer.alloc(sendBlocks.length + 1000, 7);
    writer.write(Buffer.from("before"));
    writer.write(payload);
    writer.write(Buffer.from("behind"));
    writer.flush();
    const reader = new PacketReader(createOpener());
    for (const { bytes } of outputs) reader.push(Buffer.from(bytes));
    expect(reader.next()?.toString()).toBe("before");
    expect(reader.next()?.equals(payload)).toBe(true);
    expect(reader.next()?.toString()).toBe("behind");
  });
});

describe("PacketWriter", () => {
  it("hands over once in a turn what was written in it", async () => {
    const { writer, outputs } = createWriter();
    for (let index = 0; index < 10; index++) writer.write(Buffer.from("payload"));
    expect(outputs.length).toBe(0);
    await nextTurn();
    expect(outputs.length).toBe(1);
    writer.write(Buffer.from("payload"));
    await nextTurn();
    expect(outputs.length).toBe(2);
    await nextTurn();
    expect(outputs.length).toBe(2);
  });

  it("hands over at once when told to, and not again", async () => {
    const { writer, outputs } = createWriter();
    writer.write(Buffer.from("payload"));
    writer.flush();
    writer.flush();
    expect(outputs.length).toBe(1);
    await nextTurn();
    expect(outputs.length).toBe(1);
  });

  it("needs neither head nor body afterwards", () => {
    const { writer, outputs } = createWriter();
    const head = Buffer.from("head");
    const body = Buffer.from("body");
    writer.write(head, [body]);
    head.fill(0);
    body.fill(0);
    writer.flush();
    expect(outputs[0]?.bytes.includes("headbody")).toBe(true);
  });

  it("holds no block for small messages that nobody takes", () => {
    const { writer, outputs } = createWriter();
    for (let index = 0; index < 1000; index++) {
      writer.write(Buffer.alloc(20));
      writer.flush();
    }
    for (const { done } of outputs) expect(done).toBeUndefined();
    expect(heldBy(outputs)).toBeLessThan(1000 * 1024);
  });

  it("uses a block again only when its bytes are no longer needed", () => {
    const { writer, outputs } = createWriter();
    const write = (byte: number) => {
      writer.write(Buffer.alloc(sendBlocks.length / 2, byte));
      writer.flush();
      return outputs.at(-1);
    };
    const first = write(1);
    const copy = Buffer.from(first?.bytes ?? []);
    const second = write(2);
    expect(second?.bytes.buffer).not.toBe(first?.bytes.buffer);
    expect(first?.bytes).toEqual(copy);
    first?.done?.();
    const third = write(3);
    expect(third?.bytes.buffer).toBe(first?.bytes.buffer);
    second?.done?.();
    third?.done?.();
  });

  it("hands over nothing of a packet that could not be sealed", async () => {
    let fails = false;
    const sealer: PacketSealer = {
      ...noneSealer,
      seal: () => {
        if (fails) throw new Error("the keys are destroyed");
      },
    };
    const { writer, outputs } = createWriter(sealer);
    writer.write(Buffer.from("before"));
    fails = true;
    expect(() => writer.write(Buffer.from("secret"))).toThrow("the keys are destroyed");
    await nextTurn();
    const sent = Buffer.concat(outputs.map(({ bytes }) => bytes)).toString("latin1");
    expect(sent).toContain("before");
    expect(sent).not.toContain("secret");
  });

  it("counts sequence numbers on over new keys, or anew, and destroys the old ones", () => {
    const [first, second, third] = [recordingProtection(), recordingProtection(), recordingProtection()];
    const { writer } = createWriter(first.sealer);
    const write = (count: number) => {
      for (let index = 0; index < count; index++) writer.write(Buffer.of(1));
    };
    write(3);
    writer.changeKeys(second.sealer, "continue");
    expect([first.destroyed, second.destroyed]).toEqual([["sealer"], []]);
    write(2);
    writer.changeKeys(third.sealer, "reset");
    write(2);
    writer.flush();
    expect([first.sequenceNumbers, second.sequenceNumbers, third.sequenceNumbers]).toEqual([
      [0, 1, 2],
      [3, 4],
      [0, 1],
    ]);
  });

  it("counts what the present keys have done", () => {
    const { writer, outputs } = createWriter(recordingProtection({ maximumPackets: 2 }).sealer);
    writer.write(Buffer.of(1));
    writer.flush();
    const packetLength = outputs[0]?.bytes.length ?? 0;
    expect([writer.bytes, writer.exhausted]).toEqual([packetLength, false]);
    writer.write(Buffer.of(1));
    expect([writer.bytes, writer.exhausted]).toEqual([2 * packetLength, true]);
    writer.changeKeys(recordingProtection({ maximumBytes: packetLength }).sealer, "continue");
    expect([writer.bytes, writer.exhausted]).toEqual([0, false]);
    writer.write(Buffer.of(1));
    expect(writer.exhausted).toBe(true);
  });
});
