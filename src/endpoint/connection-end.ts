import type { DisconnectReason } from "../protocol/constants.js";
import type { ProtocolError } from "../protocol/errors.js";

/** The peer has gone of its own accord, or the stream has. */
export interface PeerLeft {
  /** Tells the kinds of ends apart. */
  readonly kind: "left";
  /** How it has gone, a text for logs. */
  readonly cause: string;
  /** The reason that the peer has given, if it sent SSH_MSG_DISCONNECT (RFC 4253 §11.1). */
  readonly reason?: number;
  /** The peer's description, escaped and cut. */
  readonly description?: string;
  /** Of the stream. */
  readonly error?: Error;
}

/** This side has sent SSH_MSG_DISCONNECT with this reason. */
export type EndedHere = { readonly cause: string; readonly reason: DisconnectReason } & (
  | {
      /** The peer has broken the protocol. */
      readonly kind: "violated";
      readonly error: ProtocolError;
    }
  | {
      /** This side has failed. */
      readonly kind: "failed";
      readonly error: unknown;
    }
  | {
      /** `overdue`: something has taken too long. `disconnected`: the program wanted it. */
      readonly kind: "overdue" | "disconnected";
    }
);

/** The end of a connection. `cause` is a text for logs. */
export type ConnectionEnd = PeerLeft | EndedHere;
