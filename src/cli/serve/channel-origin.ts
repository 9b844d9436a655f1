import { type Channel, loggedText } from "../../index.js";

/** The origin of a channel, as fields for the log, by the names of the library: texts of the client are escaped. */
export function channelOrigin({ connection }: Channel) {
  const { id, username, remoteAddress } = connection;
  return { connection: id, username: username && loggedText(username), remoteAddress };
}
