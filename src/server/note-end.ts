import { type EndReason, noteEndReason } from "../base/end-reasons.js";
import type { ConnectionEnd } from "../endpoint/connection-end.js";
import { DisconnectReason } from "../protocol/constants.js";
import type { Connection } from "../session/connection.js";

/** A connection has ended: the reason that was noted before remains. */
export function noteEnd(connection: Connection, end: ConnectionEnd): void {
  noteEndReason(connection, reasonOf(end));
}

function reasonOf(end: ConnectionEnd): EndReason {
  switch (end.kind) {
    case "left":
      return end.reason === undefined ? "connection lost" : "client closed";
    case "disconnected":
      return end.reason === DisconnectReason.CONNECTION_LOST ? "connection lost" : "disconnected";
    default:
      return "connection lost";
  }
}
