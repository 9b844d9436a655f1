import { randomBytes } from "node:crypto";
import zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atOnce } from "../../../src/base/time-slices.js";
import type { Compressor, Decompressor } from "../../../src/crypto/compression/compression.js";
import { zlibDelayed } from "../../../src/crypto/compression/zlib.js";
import { DisconnectReason } from "../../../src/protocol/constants.js";
import { extent } from "../../support/extent.js";

const MAXIMUM = 256 * 1024;
const { Z_PARTIAL_FLUSH, Z_SYNC_FLUSH } = zlib.constants;

function compressor(): Compressor {
  const created = zlibDelayed.createCompressor();
  if (created === undefined) throw new Error("zlib compresses");
  return created;
}

function decompressor(): Decompressor {
  const created = zlibDelayed.createDecompressor();
  if (created === undefined) throw new Error("zlib decompresses");
  return created;
}

/** One packet through a stream of node:zlib, whose flush mode is set for every write. */
async function through(stream: zlib.Deflate | zlib.Inflate, packet: Buffer): Promise<Buffer> {
  await new Promise<void>((resolve, reject) => stream.write(packet, (error) => (error ? reject(error) : resolve())));
  const chunks: Buffer[] = [];
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const BIG = { highWaterMark: 1 << 24, chunkSize: 1 << 20 };

const payloads = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    fc.integer({ min: 1, max: 200_000 }).map((length) => Buffer.alloc(length, "the same words over and over ")),
    fc.integer({ min: 1, max: 200_000 }).map((length) => randomBytes(length)),
  ),
  { minLength: 1, maxLength: 6 },
);

function expectCompressionError(action: () => unknown): void {
  expect(action).toThrow(
    expect.objectContaining({ name: "ProtocolError", reason: DisconnectReason.COMPRESSION_ERROR }),
  );
}

describe("zlib@openssh.com", () => {
  it("inflates what it deflates, packet by packet", () => {
    fc.assert(
      fc.property(payloads, (packets) => {
        const deflate = compressor();
        const inflate = decompressor();
        for (const packet of packets) {
          expect(atOnce(inflate.decompress(deflate.compress(packet), packet.length)).equals(packet)).toBe(true);
        }
      }),
      { numRuns: extent(15, 40) },
    );
  });

  it.each([
    ["partial", Z_PARTIAL_FLUSH],
    ["sync", Z_SYNC_FLUSH],
  ])("inflates each packet of zlib itself as it comes, with %s flushes", async (_, flush) => {
    await fc.assert(
      fc.asyncProperty(payloads, async (packets) => {
        const deflate = zlib.createDeflate({ ...BIG, flush });
        const inflate = decompressor();
        for (const packet of packets) {
          const compressed = await through(deflate, packet);
          expect(atOnce(inflate.decompress(compressed, MAXIMUM)).equals(packet)).toBe(true);
        }
        deflate.destroy();
      }),
      { numRuns: 25 },
    );
  });

  it("is inflated by zlib itself, each packet as it comes", async () => {
    await fc.assert(
      fc.asyncProperty(payloads, async (packets) => {
        const deflate = compressor();
        const inflate = zlib.createInflate({ ...BIG, flush: Z_SYNC_FLUSH });
        for (const packet of packets) {
          expect((await through(inflate, deflate.compress(packet))).equals(packet)).toBe(true);
        }
        inflate.destroy();
      }),
      { numRuns: 25 },
    );
  });

  it("keeps the dictionary over packets", () => {
    const deflate = compressor();
    const packet = randomBytes(5000);
    expect(deflate.compress(packet).length).toBeGreaterThan(5000);
    expect(deflate.compress(packet).length).toBeLessThan(200);
  });

  it("gives every packet a buffer of its own", () => {
    const deflate = compressor();
    const inflate = decompressor();
    const [first, second] = [deflate.compress(Buffer.from("first")), deflate.compress(Buffer.from("second"))];
    const [one, two] = [atOnce(inflate.decompress(first, 100)), atOnce(inflate.decompress(second, 100))];
    expect([one.toString(), two.toString()]).toEqual(["first", "second"]);
  });

  it("does not need the memory of the payload while it inflates", () => {
    const compressed = compressor().compress(Buffer.from("hello"));
    const steps = decompressor().decompress(compressed, 100);
    compressed.fill(0xff);
    expect(atOnce(steps).toString()).toBe("hello");
  });

  it("takes exactly the maximum, and not one byte more", () => {
    for (const length of [1, 1000, 65_535, 65_536, 65_537, 131_072]) {
      const compressed = compressor().compress(Buffer.alloc(length));
      expect(atOnce(decompressor().decompress(compressed, length))).toHaveLength(length);
      expectCompressionError(() => atOnce(decompressor().decompress(compressed, length - 1)));
    }
  });

  it("stops inflating at the maximum, in memory too", () => {
    const bomb = zlib.deflateSync(Buffer.alloc(extent(32, 256) * 2 ** 20));
    const inflate = decompressor();
    const before = process.memoryUsage();
    expectCompressionError(() => atOnce(inflate.decompress(bomb, MAXIMUM)));
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 * MAXIMUM + bomb.length);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(8 * 2 ** 20);
  });

  it.each([
    ["what is not zlib at all", Buffer.from("no header of zlib")],
    ["gzip", zlib.gzipSync("hello")],
    [
      "a stream that needs a dictionary set beforehand",
      zlib.deflateSync("hello", { dictionary: Buffer.from("hello") }),
    ],
    ["a stream that ends", zlib.deflateSync("hello")],
    ["an impossible block type", Buffer.of(0x78, 0x9c, 0x07, 0, 0)],
    ["a distance beyond the beginning", zlib.deflateRawSync(Buffer.alloc(300), { dictionary: Buffer.alloc(300) })],
  ])("refuses %s", (_, data) => {
    expectCompressionError(() => atOnce(decompressor().decompress(data, MAXIMUM)));
  });

  it("ends in ProtocolError or in bounded output for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const inflate = decompressor();
        atOnce(inflate.decompress(compressor().compress(Buffer.from("begun")), MAXIMUM));
        try {
          expect(atOnce(inflate.decompress(Buffer.from(bytes), 1000)).length).toBeLessThanOrEqual(1000);
        } catch (error) {
          expect(error).toMatchObject({ name: "ProtocolError", reason: DisconnectReason.COMPRESSION_ERROR });
        }
      }),
      { numRuns: 500 },
    );
  });
});
