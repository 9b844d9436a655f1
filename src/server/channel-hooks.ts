import { callHook } from "../base/hook-error.js";
import { Channel } from "../connection/channel.js";
import type { ChannelAuthority } from "../connection/channel-authority.js";
import { mayOpenChannel } from "../forwarding/forwarding-permissions.js";
import { MAX_PORT, readOpenFields } from "../forwarding/open-fields.js";
import { OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_FAILED_CONNECT_FAILED } from "../protocol/constants.js";
import type { AnyChannel, Connection } from "../session/connection.js";
import { SessionChannel } from "../session/session-channel.js";
import { handleSessionRequest, type SessionHooks } from "../session/session-requests.js";
import { decideGlobalRequest } from "./global-request-hooks.js";
import { type HookFailed, notify } from "./hook-answers.js";
import type { HostKeyProof } from "./host-keys/host-key-proof.js";
import type { SSHServer } from "./ssh-server.js";

/** The channel hooks of a server; they find the connection on the channel. */
export function bindChannelAuthority(
  server: SSHServer,
  connection: Connection,
  sessionHooks: SessionHooks,
  hookFailed: HookFailed,
  hostKeyProof?: HostKeyProof,
): ChannelAuthority<AnyChannel> {
  return {
    decideOpen: (kind, channelId, fields) => {
      if (!mayOpenChannel(connection.permissions, kind, fields)) return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED;
      const open = readOpenFields(kind, fields);
      // A hook is not asked about a number that cannot be a port: it would connect to it.
      if ("port" in open && open.port > MAX_PORT) return OPEN_FAILED_CONNECT_FAILED;
      return callHook("checkChannelRequest", () => server.checkChannelRequest(kind, channelId, connection, open));
    },
    createChannel: (parameters, link) =>
      parameters.kind === "session" && parameters.openedBy === "peer"
        ? new SessionChannel(parameters, link, connection)
        : new Channel(parameters, link, connection),
    channelOpened: (channel) => void notify("onChannelOpened", hookFailed, () => server.onChannelOpened(channel)),
    channelClosed: (channel) => void notify("onChannelClosed", hookFailed, () => server.onChannelClosed(channel)),
    channelRequest: (channel, request) =>
      channel instanceof SessionChannel
        ? handleSessionRequest(channel, request, sessionHooks)
        : sessionHooks.unknown(channel, request.kind, Buffer.from(request.fields.readRest())),
    globalRequestReceived: () => {},
    globalRequest: (request) => decideGlobalRequest(server, connection, hostKeyProof, request),
  };
}
