import { PacketAssembler, PacketLengthError } from "../../../src/sftp/codec/packet-assembler.js";
import { extended, init, packet } from "../../support/sftp-packets.js";
import { assertEqual, assertTrue, type Harness } from "../engine/harness.js";
import { cutInChunks } from "../support/messages.js";

function read(chunks: readonly Buffer[]): { packets: Buffer[]; isBroken: boolean } {
  const assembler = new PacketAssembler();
  const packets: Buffer[] = [];
  try {
    for (const chunk of chunks) {
      assembler.add(chunk);
      for (let packet = assembler.next(); packet !== undefined; packet = assembler.next()) {
        packets.push(Buffer.from(packet.bytes));
        packet.release();
      }
    }
  } catch (error) {
    if (!(error instanceof PacketLengthError)) throw error;
    return { packets, isBroken: true };
  } finally {
    assembler.close();
  }
  return { packets, isBroken: false };
}

/** How a stream of bytes is cut into requests of SFTP. */
export const harness: Harness = {
  name: "sftp-packets",
  seeds: [
    Buffer.concat([init(), extended(1, "statvfs@openssh.com", "/")]),
    packet(Buffer.alloc(300, 3)),
    packet(Buffer.alloc(8), 0xffff_ffff),
  ],
  memory: { base: 2 * 1024 * 1024, perByte: 1024 },
  run(bytes) {
    const whole = read([bytes]);
    const pieces = read(cutInChunks(bytes));
    assertTrue(whole.isBroken === pieces.isBroken, "the chunks decide about an error");
    assertEqual(Buffer.concat(whole.packets), Buffer.concat(pieces.packets), "the chunks decide about the packets");
  },
};
