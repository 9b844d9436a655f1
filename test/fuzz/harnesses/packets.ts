import { noneOpener } from "../../../src/crypto/cipher/none.js";
import { MAX_PACKET_LENGTH } from "../../../src/protocol/constants.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { PacketReader } from "../../../src/transport/packet-reader.js";
import { assertEqual, assertTrue, type Harness } from "../engine/harness.js";
import { cutInChunks } from "../support/messages.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** All payloads, and whether an error ended them. */
function read(chunks: readonly Buffer[]): { payloads: Buffer[]; isBroken: boolean } {
  const reader = new PacketReader(noneOpener);
  const payloads: Buffer[] = [];
  try {
    for (const chunk of chunks) {
      reader.push(chunk);
      for (let payload = reader.next(); payload !== undefined; payload = reader.next()) {
        payloads.push(Buffer.from(payload));
      }
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { payloads, isBroken: true };
  }
  return { payloads, isBroken: false };
}

/** The packet layer without keys: no tag keeps anything from its lengths. */
export const harness: Harness = {
  name: "packets",
  seeds: [
    hex("0000000c 0a 14 00000000000000000000"),
    hex("0000000c 0a 15 00000000000000000000 0000001c 04 02 0000001151515151515151515151515151515151 00 00000000"),
    hex("00040000 04 02"),
    hex("7fffffff 04 02 00"),
  ],
  memory: { base: 1024 * 1024, perByte: 1024 },
  run(bytes) {
    const whole = read([Buffer.from(bytes)]);
    const pieces = read(cutInChunks(bytes));
    assertTrue(whole.isBroken === pieces.isBroken, "the chunks decide about an error");
    assertEqual(Buffer.concat(whole.payloads), Buffer.concat(pieces.payloads), "the chunks decide about the payloads");
    for (const { length } of whole.payloads) assertTrue(length > 0 && length < MAX_PACKET_LENGTH, "a payload's length");
  },
};
