import { noneOpener, noneSealer } from "../../src/crypto/cipher/none.js";
import type { PacketOpener, PacketSealer } from "../../src/crypto/cipher/packet-cipher.js";
import { cipherPaths, suites } from "../crypto/cipher/packets.js";

export interface PacketSuite {
  readonly name: string;
  createSealer(): PacketSealer;
  createOpener(): PacketOpener;
}

const wanted = [
  "chacha20-poly1305@openssh.com",
  "aes128-gcm@openssh.com",
  "aes256-ctr + hmac-sha2-256-etm@openssh.com",
  "aes128-ctr + hmac-sha2-512",
];

/** One of each kind of packet protection, on both paths. */
export const packetSuites: readonly PacketSuite[] = [
  { name: "none", createSealer: () => noneSealer, createOpener: () => noneOpener },
  ...suites
    .filter(({ name }) => wanted.includes(name))
    .map(({ name, path, cipher, keys }) => ({
      name: `${name} by ${path}`,
      createSealer: () => cipher.createSealer(keys),
      createOpener: () => cipher.createOpener(keys),
    })),
];
if (packetSuites.length !== cipherPaths.length * wanted.length + 1) throw new Error("a packet suite is missing");

/** Protection that does nothing but note the sequence numbers it is asked with, and that it was destroyed. */
export function recordingProtection(limits: { maximumPackets?: number; maximumBytes?: number } = {}) {
  const sequenceNumbers: number[] = [];
  const destroyed: string[] = [];
  const sealer: PacketSealer = {
    ...noneSealer,
    ...limits,
    destroy: () => destroyed.push("sealer"),
    seal: (_, sequenceNumber) => sequenceNumbers.push(sequenceNumber),
  };
  const opener: PacketOpener = {
    ...noneOpener,
    ...limits,
    destroy: () => destroyed.push("opener"),
    open: (packet, sequenceNumber) => {
      sequenceNumbers.push(sequenceNumber);
      return packet.subarray(4);
    },
  };
  return { sealer, opener, sequenceNumbers, destroyed };
}
