import { expect } from "vitest";
import type { Addon } from "../../../src/base/addon.js";
import { findOwnAddon, loadAddon } from "../../../src/base/own-addon.js";
import { nativeAlgorithm } from "../../../src/crypto/cipher/native/native-packets.js";
import type {
  CipherAlgorithm,
  CipherKeys,
  PacketOpener,
  PacketSealer,
} from "../../../src/crypto/cipher/packet-cipher.js";
import { portableCiphers } from "../../../src/crypto/cipher/portable-ciphers.js";
import { macAlgorithms } from "../../../src/crypto/cipher/registry.js";
import { DisconnectReason } from "../../../src/protocol/constants.js";

/** The ciphers as one path has them. */
export interface CipherPath {
  readonly name: "node:crypto" | "addon";
  readonly ciphers: readonly CipherAlgorithm[];
}

const file = findOwnAddon();
/** Also where `SPINDLEX_NATIVE=0` has the rest of the tests run without it. */
export const addon = file === undefined ? undefined : (loadAddon(file) as Addon);

/** Both; without a compiler, which is told by the test that the addon is there, the first. */
export const cipherPaths: readonly CipherPath[] = [
  { name: "node:crypto", ciphers: portableCiphers },
  ...(addon === undefined
    ? []
    : [{ name: "addon" as const, ciphers: portableCiphers.map((cipher) => nativeAlgorithm(cipher, addon)) }]),
];

export interface Suite {
  readonly name: string;
  readonly path: CipherPath["name"];
  readonly cipher: CipherAlgorithm;
  readonly keys: CipherKeys;
}

/** Each AEAD, and each other cipher with each MAC, on both paths; keys and IVs are all different bytes. */
export const suites: readonly Suite[] = cipherPaths.flatMap(({ name: path, ciphers }) =>
  ciphers.flatMap((cipher) => {
    const keys = { key: bytes(cipher.keyLength, 1), iv: bytes(cipher.ivLength, 101) };
    if (cipher.aead) return [{ name: cipher.name, path, cipher, keys }];
    return [...macAlgorithms.values()].map((algorithm) => ({
      name: `${cipher.name} + ${algorithm.name}`,
      path,
      cipher,
      keys: { ...keys, mac: { algorithm, key: bytes(algorithm.keyLength, 201) } },
    }));
  }),
);

export function bytes(length: number, first: number): Buffer {
  const made = Buffer.alloc(length);
  for (let index = 0; index < length; index++) made[index] = first + index;
  return made;
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

/** To be called with a packet whose tag is wrong: it is as it was, or what was decrypted of it is overwritten. */
export function expectNoClearText(opener: PacketOpener, packet: Buffer, sequenceNumber: number): void {
  const before = Buffer.from(packet);
  expectMacError(() => open(opener, packet, sequenceNumber));
  const overwritten = Buffer.alloc(before.length);
  expect([before, overwritten]).toContainEqual(packet);
}

export function expectMacError(action: () => unknown): void {
  expect(action).toThrow(expect.objectContaining({ name: "ProtocolError", reason: DisconnectReason.MAC_ERROR }));
}
