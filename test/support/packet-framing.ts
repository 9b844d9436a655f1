import { randomFillSync } from "node:crypto";
import type { PacketSealer } from "../../src/crypto/cipher/packet-cipher.js";

/** What a packet claims and holds; anything left out is as it should be. */
export interface PacketShape {
  /** The `packet_length` field, true or not. */
  readonly packetLength?: number;
  /** The `padding_length` field, true or not. */
  readonly paddingLength?: number;
  /** Bytes of padding that are really there. */
  readonly padding?: number;
  /** Changes the bytes that go over the wire. */
  readonly tamper?: (packet: Buffer) => void;
}

/** Frames and seals one packet (RFC 4253 §6). */
export function sealPacket(
  sealer: PacketSealer,
  sequenceNumber: number,
  payload: Uint8Array,
  shape: PacketShape = {},
): Buffer {
  const padding = shape.padding ?? rightPadding(sealer, payload.length);
  const length = 1 + payload.length + padding;
  const packet = Buffer.alloc(4 + length + sealer.tagLength);
  packet.writeUInt32BE(shape.packetLength ?? length);
  packet.writeUInt8((shape.paddingLength ?? padding) & 0xff, 4);
  packet.set(payload, 5);
  randomFillSync(packet, 5 + payload.length, padding);
  sealer.seal(packet, sequenceNumber);
  shape.tamper?.(packet);
  return packet;
}

/** The least padding that is legal. */
export function rightPadding(sealer: PacketSealer, payloadLength: number): number {
  const aligned = (sealer.lengthIsAligned ? 4 : 0) + 1 + payloadLength;
  const padding = sealer.blockLength - (aligned % sealer.blockLength);
  return padding < 4 ? padding + sealer.blockLength : padding;
}
