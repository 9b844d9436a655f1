import { DisconnectReason } from "./constants.js";

/** The peer sent something that ends the connection; `reason` goes into SSH_MSG_DISCONNECT (RFC 4253 §11.1). */
export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
  /** The reason that the peer is told in SSH_MSG_DISCONNECT (RFC 4253 §11.1), where the connection ends for it. */
  readonly reason: DisconnectReason;

  constructor(message: string, reason: DisconnectReason = DisconnectReason.PROTOCOL_ERROR, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * A text of the peer is not UTF-8, or cannot be used as what it is for. The message is the same for all texts. The attempt or request that
 * holds it fails; any other message ends the connection.
 */
export class InvalidTextError extends ProtocolError {
  override readonly name: string = "InvalidTextError";
}
