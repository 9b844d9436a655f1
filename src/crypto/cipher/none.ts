import { MAXIMUM_PACKETS } from "./limits.js";
import type { PacketOpener, PacketSealer } from "./packet-cipher.js";

const protection = {
  blockLength: 8,
  lengthIsAligned: true,
  tagLength: 0,
  maximumPackets: MAXIMUM_PACKETS,
  maximumBytes: Number.POSITIVE_INFINITY,
  destroy() {},
} as const;

/** Outgoing packets before the first SSH_MSG_NEWKEYS: in clear (RFC 4253 §6.3, "none"). Never negotiated. */
export const noneSealer: PacketSealer = {
  ...protection,
  seal() {},
};

/** Incoming packets before the first SSH_MSG_NEWKEYS. */
export const noneOpener: PacketOpener = {
  ...protection,
  headerLength: 4,
  opensInPlace: true,
  readLength: (header) => header.readUInt32BE(0),
  open: (packet) => packet.subarray(4),
};
