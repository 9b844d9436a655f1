import { timingSafeEqual } from "node:crypto";
import { DisconnectReason } from "../../protocol/constants.js";
import { ProtocolError } from "../../protocol/errors.js";

/** @throws {ProtocolError} with reason MAC_ERROR unless the tag that came is the one computed, in constant time */
export function checkTag(received: Buffer, computed: Buffer): void {
  if (received.length !== computed.length || !timingSafeEqual(received, computed)) throw wrongTag();
}

/** The error of every opener for a packet that is not as the peer sealed it. */
export function wrongTag(): ProtocolError {
  return new ProtocolError("packet integrity check failed", DisconnectReason.MAC_ERROR);
}
