import { expect } from "vitest";
import type {
  CipherAlgorithm,
  CipherKeys,
  PacketOpener,
  PacketSealer,
} from "../../../src/crypto/cipher/packet-cipher.js";
import { cipherAlgorithms, macAlgorithms } from "../../../src/crypto/cipher/registry.js";
import { DisconnectReason } from "../../../src/protocol/constants.js";

export interface Suite {
  readonly name: string;
  readonly cipher: CipherAlgorithm;
  readonly keys: CipherKeys;
}

/** Each AEAD, and each other cipher with each MAC; keys and IVs are all different bytes. */
export const suites: readonly Suite[] = [...cipherAlgorithms.values()].flatMap((cipher) => {
  const keys = { key: bytes(cipher.keyLength, 1), iv: bytes(cipher.ivLength, 101) };
  if (cipher.aead) return [{ name: cipher.name, cipher, keys }];
  return [...macAlgorithms.values()].map((algorithm) => ({
    name: `${cipher.name} + ${algorithm.name}`,
    cipher,
    keys: { ...keys, mac: { algorithm, key: bytes(algorithm.keyLength, 201) } },
  }));
});

export function bytes(length: number, first: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (first + index) & 0xff));
}

/** `packet_length`, then `content` (padding length, payload and padding), then room for the tag. */
export function clearPacket(content: Buffer, tagLength: number): Buffer {
  const packet = Buffer.alloc(4 + content.length + tagLength);
  packet.writeUInt32BE(content.length, 0);
  packet.set(content, 4);
  return packet;
}

/** Content of about `length` bytes that fills blocks as the cipher wants it. */
export function alignedContent(sealer: PacketSealer, length: number): Buffer {
  const unaligned = sealer.lengthIsAligned ? 4 : 0;
  const blocks = Math.ceil((length + unaligned + 1) / sealer.blockLength);
  return bytes(blocks * sealer.blockLength - unaligned, length);
}

export function seal(sealer: PacketSealer, content: Buffer, sequenceNumber: number): Buffer {
  const packet = clearPacket(content, sealer.tagLength);
  sealer.seal(packet, sequenceNumber);
  return packet;
}

/** As the transport does it: the length from the header alone, then the whole packet. */
export function open(opener: PacketOpener, packet: Buffer, sequenceNumber: number): Buffer {
  opener.readLength(Buffer.from(packet.subarray(0, opener.headerLength)), sequenceNumber);
  return opener.open(packet, sequenceNumber);
}

export function expectMacError(action: () => unknown): void {
  expect(action).toThrow(expect.objectContaining({ name: "ProtocolError", reason: DisconnectReason.MAC_ERROR }));
}
