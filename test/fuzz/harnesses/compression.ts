import { atOnce } from "../../../src/base/time-slices.js";
import { zlibDelayed } from "../../../src/crypto/compression/zlib.js";
import { MAX_PACKET_LENGTH } from "../../../src/protocol/constants.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { assertEqual, assertTrue, type Harness, refusable } from "../engine/harness.js";
import { joinMessages, splitMessages } from "../support/messages.js";

function create() {
  const [compressor, decompressor] = [zlibDelayed.createCompressor(), zlibDelayed.createDecompressor()];
  if (compressor === undefined || decompressor === undefined) throw new Error("nothing is compressed");
  return { compressor, decompressor };
}

const { compressor: seedCompressor } = create();

/** Compressed payloads of one connection, one after the other; the same bytes also are payloads to be compressed. */
export const harness: Harness = {
  name: "compression",
  seeds: [
    joinMessages(["hello", "hello again", "a".repeat(3000)].map((text) => seedCompressor.compress(Buffer.from(text)))),
  ],
  memory: { base: 4 * 1024 * 1024, perByte: 4096 },
  shortRun: 400,
  run(bytes) {
    const messages = splitMessages(bytes);
    const { compressor, decompressor } = create();
    for (const message of messages) {
      assertEqual(
        atOnce(decompressor.decompress(compressor.compress(message), MAX_PACKET_LENGTH)),
        message,
        "a payload changes",
      );
    }
    const { decompressor: hostile } = create();
    for (const message of messages) {
      const inflated = refusable(() => atOnce(hostile.decompress(message, MAX_PACKET_LENGTH)), ProtocolError);
      if (inflated === undefined) return;
      assertTrue(inflated.length <= MAX_PACKET_LENGTH, "inflated to more than was allowed");
    }
  },
};
