import { loggerOf } from "../base/connection-logger.js";
import { callHook, HookError } from "../base/hook-error.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { Channel } from "../connection/channel.js";
import type { ChannelAuthority } from "../connection/channel-authority.js";
import { forwardingKind, targetText } from "../forwarding/forwarding-log.js";
import { mayOpenChannel } from "../forwarding/forwarding-permissions.js";
import { MAX_PORT, readOpenFields } from "../forwarding/open-fields.js";
import { OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_SUCCEEDED } from "../protocol/constants.js";
import type { Request } from "../protocol/messages/requests.js";
import type { AnyChannel } from "../session/connection.js";
import { SessionChannel } from "../session/session-channel.js";
import { forcedKind, handleSessionRequest, mayRequest } from "../session/session-requests.js";
import { saysItIsOver } from "../session/thrown.js";
import type { ChannelContext } from "./channel-context.js";
import { takeNoFiles } from "./declared-program.js";
import { decideGlobalRequest } from "./global-request-hooks.js";
import { notify, wrongAnswer } from "./hook-answers.js";
import { NOTHING_ALLOWS } from "./refused-requests.js";
import { remedyFor } from "./remedies.js";
import { decidesLocalForwarding } from "./ssh-server.js";

/** The hooks of a server about channels; they find the connection on the channel. */
export function bindChannelAuthority(context: ChannelContext): ChannelAuthority<AnyChannel> {
  const { server, connection, log } = context;
  return {
    decideOpen: (kind, channelId, fields) => decideOpen(context, kind, channelId, fields),
    createChannel: (parameters, link) =>
      parameters.kind === "session" && parameters.openedBy === "peer"
        ? new SessionChannel(parameters, link, connection)
        : new Channel(parameters, link, connection),
    channelOpened: (channel) => void notify("onChannelOpened", log.failed, () => server.onChannelOpened(channel)),
    channelClosed: (channel) => void notify("onChannelClosed", log.failed, () => server.onChannelClosed(channel)),
    channelRequest: (channel, request) => decideRequest(context, channel, request),
    globalRequestReceived: () => {},
    globalRequest: (request) => decideGlobalRequest(context, request),
  };
}

function decideOpen(
  { server, connection, forwarding, log }: ChannelContext,
  kind: string,
  channelId: number,
  fields: Buffer,
): unknown {
  const open = readOpenFields(kind, fields);
  const note = (reason: string, remedy?: string) =>
    log.refused(forwardingKind(kind), reason, { target: targetText(open), remedy });
  if (!mayOpenChannel(connection.permissions, kind, open)) {
    note("not permitted to this user");
    return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED;
  }
  // A hook is not asked about a number that cannot be a port: it would connect to it.
  if ("port" in open && open.port > MAX_PORT) {
    note("not a target");
    return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED;
  }
  const ask = () => server.checkChannelRequest(kind, channelId, connection, open);
  const answer = callHook("checkChannelRequest", ask);
  return answer instanceof Promise ? answer.then(goOn) : goOn(answer);

  function goOn(decision: unknown): unknown {
    if (decision !== OPEN_SUCCEEDED) {
      const isAnswer = typeof decision === "number" || (typeof decision === "object" && decision !== null);
      if (!isAnswer) throw wrongAnswer("checkChannelRequest", "0 to 4, or { reason, description }", decision);
      const remedy = remedyFor(server, "channel", kind);
      note(remedy === undefined ? "refused by checkChannelRequest" : NOTHING_ALLOWS, remedy);
      return decision;
    }
    return !Buffer.isBuffer(open) && decidesLocalForwarding(server) ? forwarding.local.open(open) : decision;
  }
}

function decideRequest(
  { server, connection, sessionHooks, forwarding, refusedRequests, log }: ChannelContext,
  channel: AnyChannel,
  request: Request,
): MaybePromise<boolean> {
  const refused = refusedRequests.onChannel(request);
  const report = {
    refusedLate: () => refused("refused when it had begun"),
    failedLate: (error: unknown) => {
      const cause = error instanceof HookError ? error.cause : error;
      if (!channel.signal.aborted || !saysItIsOver(cause)) log.failed(`channel request ${request.kind}`, error);
      else
        loggerOf(connection).debug({ channel: channel.id, err: cause }, "a hook was ended by the end of its channel");
    },
  };
  const decision =
    channel instanceof SessionChannel
      ? handleSessionRequest(channel, request, { hooks: sessionHooks, forwarding: forwarding.sessions, report })
      : sessionHooks.unknown(channel, request.kind, Buffer.from(request.fields.readRest()));
  const settle = (allowed: boolean) => {
    if (allowed) return true;
    const { permissions } = connection;
    const noFiles = channel instanceof SessionChannel ? takeNoFiles(channel) : undefined;
    if (noFiles?.problem !== undefined) {
      refused("sftp has no folder to serve", undefined, noFiles.problem);
    } else if (noFiles !== undefined) {
      refused("sftp has no files for this user");
    } else if (mayRequest(permissions, request.kind)) {
      refused("refused", remedyFor(server, "channel request", forcedKind(permissions, request.kind)));
    } else {
      refused("not permitted to this user");
    }
    return false;
  };
  return decision instanceof Promise ? decision.then(settle) : settle(decision);
}
