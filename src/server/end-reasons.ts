import type { ConnectionEnd } from "../endpoint/connection-end.js";
import { DisconnectReason } from "../protocol/constants.js";
import type { Connection } from "../session/connection.js";
import type { SessionEndReason } from "../session/session-ended-error.js";

const reasons = new WeakMap<Connection, SessionEndReason>();

/** The server is about to end a connection for this reason. */
export function noteEndReason(connection: Connection, reason: SessionEndReason): void {
  if (!reasons.has(connection)) reasons.set(connection, reason);
}

/** A connection has ended: the reason that was noted before remains. */
export function noteEnd(connection: Connection, end: ConnectionEnd): void {
  noteEndReason(connection, reasonOf(end));
}

/** Why a connection has ended; `undefined` while it is there. */
export function endReasonOf(connection: Connection): SessionEndReason | undefined {
  return reasons.get(connection);
}

function reasonOf(end: ConnectionEnd): SessionEndReason {
  switch (end.kind) {
    case "left":
      return end.reason === undefined ? "connection lost" : "client closed";
    case "disconnected":
      return end.reason === DisconnectReason.CONNECTION_LOST ? "connection lost" : "disconnected";
    default:
      return "connection lost";
  }
}
