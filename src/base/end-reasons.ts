/** Why a connection ends: `SessionEndReason` has the meaning of each. */
export type EndReason = "client closed" | "connection lost" | "idle" | "timeout" | "disconnected" | "shutdown";

const reasons = new WeakMap<object, EndReason>();

/** A connection is about to end for this reason, or has ended. The first reason counts. */
export function noteEndReason(connection: object, reason: EndReason): void {
  if (!reasons.has(connection)) reasons.set(connection, reason);
}

/** Why a connection has ended; `undefined` while it is there. */
export function endReasonOf(connection: object): EndReason | undefined {
  return reasons.get(connection);
}
