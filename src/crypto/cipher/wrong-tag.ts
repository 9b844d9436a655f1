import { DisconnectReason } from "../../protocol/constants.js";
import { ProtocolError } from "../../protocol/errors.js";

/** What every opener throws for a packet that is not as the peer sealed it. */
export function wrongTag(): ProtocolError {
  return new ProtocolError("packet integrity check failed", DisconnectReason.MAC_ERROR);
}
