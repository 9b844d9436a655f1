import type { Channel } from "../../index.js";

/** Where a channel comes from, as fields for the log. */
export function channelOrigin({ connection }: Channel) {
  return { connection: connection.id, user: connection.username, address: connection.remoteAddress };
}
