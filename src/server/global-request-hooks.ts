import { callHook } from "../base/hook-error.js";
import { loggedText } from "../base/logged-text.js";
import { endpointText } from "../forwarding/forwarding-log.js";
import { mayListen, mayListenOnSocket } from "../forwarding/forwarding-permissions.js";
import { MAX_PORT } from "../forwarding/open-fields.js";
import type { Request } from "../protocol/messages/requests.js";
import { Reader } from "../protocol/reader.js";
import { Writer } from "../protocol/writer.js";
import type { ChannelContext } from "./channel-context.js";
import { allowedBy, answerOf, wrongAnswer } from "./hook-answers.js";
import { HOST_KEYS_PROVE } from "./host-keys/host-key-proof.js";
import { NOTHING_ALLOWS } from "./refused-requests.js";
import { remedyFor } from "./remedies.js";
import { decidesSocketForwarding } from "./ssh-server.js";

/** The reason where a client cancels something that is not there for it. */
const NOT_LISTENED_ON = "it is not listened on";

/** Decides about a request that is not about a channel (RFC 4254 §4), by the hooks of a server. */
export async function decideGlobalRequest(context: ChannelContext, request: Request): Promise<boolean | Uint8Array> {
  switch (request.kind) {
    case "tcpip-forward":
      return listenOnPort(context, request);
    case "cancel-tcpip-forward":
      return cancelPort(context, request);
    case "streamlocal-forward@openssh.com":
      return listenOnSocket(context, request);
    case "cancel-streamlocal-forward@openssh.com":
      return cancelSocket(context, request);
    case "keepalive@openssh.com":
    case "no-more-sessions@openssh.com":
      return true;
    case HOST_KEYS_PROVE:
      return context.hostKeyProof?.answer(request) ?? false;
    default: {
      const answer = await checkGlobalRequest(context, request.kind, Buffer.from(request.fields.readRest()));
      if (answer === false) {
        const remedy = remedyFor(context.server, "global request", request.kind);
        context.refusedRequests.global(request.kind, remedy);
      }
      return answer;
    }
  }
}

/** @throws {ProtocolError} when the fields are malformed */
function readPort({ fields }: Request): { readonly address: string; readonly port: number } {
  const asked = { address: fields.readText(), port: fields.readUint32() };
  fields.end();
  return asked;
}

async function listenOnPort(context: ChannelContext, request: Request): Promise<boolean | Uint8Array> {
  const { server, connection, forwarding, log } = context;
  const asked = readPort(request);
  const { address, port } = asked;
  const refuse = (reason: string, remedy?: string) => {
    log.refused("tcpip-forward", reason, { target: loggedText(endpointText(address, port)), remedy });
    return false;
  };
  // A hook is not asked about a number that cannot be a port: it would listen on it.
  if (port > MAX_PORT) return refuse("not a port");
  // Nobody could tell the client which port it is (RFC 4254 §7.1); sshd refuses it, too.
  if (port === 0 && !request.wantReply) return refuse("not a port");
  if (!mayListen(connection.permissions, address, port)) return refuse("not permitted to this user");
  const hook = "checkPortForwardRequest";
  const answer: unknown = await callHook(hook, () => server.checkPortForwardRequest(address, port, connection));
  if (answer === false) {
    const remedy = remedyFor(server, "global request", request.kind);
    return refuse(remedy === undefined ? "refused by the decision" : NOTHING_ALLOWS, remedy);
  }
  const bound = answer === true ? await forwarding.ports.listen(asked) : answer;
  if (bound === undefined && answer === true) return false;
  if (typeof bound !== "number" || !Number.isInteger(bound) || bound < 1 || bound > MAX_PORT) {
    throw wrongAnswer(hook, "true, false, or the port that is listened on", answer);
  }
  // The reply carries the port only where the client has left it open (RFC 4254 §7.1).
  return port === 0 ? new Writer(4).writeUint32(bound).toBuffer() : true;
}

async function cancelPort(context: ChannelContext, request: Request): Promise<boolean> {
  const { server, connection, forwarding, log } = context;
  const asked = readPort(request);
  const { address, port } = asked;
  if (await forwarding.ports.cancel(asked)) return true;
  const isCancelled =
    port <= MAX_PORT &&
    mayListen(connection.permissions, address, port) &&
    (await allowedBy("checkPortForwardCancelRequest", () =>
      server.checkPortForwardCancelRequest(address, port, connection),
    ));
  if (!isCancelled)
    log.refused("cancel-tcpip-forward", NOT_LISTENED_ON, { target: loggedText(endpointText(address, port)) });
  return isCancelled;
}

async function listenOnSocket(context: ChannelContext, { kind, fields }: Request): Promise<boolean | Uint8Array> {
  const { server, connection, forwarding, log } = context;
  const payload = Buffer.from(fields.readRest());
  const refuse = (reason: string, { target, remedy }: { target?: string; remedy?: string | undefined } = {}) => {
    log.refused("streamlocal-forward@openssh.com", reason, { target, remedy });
    return false;
  };
  if (!mayListenOnSocket(connection.permissions)) return refuse("not permitted to this user");
  if (!decidesSocketForwarding(server)) {
    const answer = await checkGlobalRequest(context, kind, payload);
    if (answer !== false) return answer;
    const remedy = remedyFor(server, "global request", kind);
    return refuse(remedy === undefined ? "refused by checkGlobalRequest" : NOTHING_ALLOWS, { remedy });
  }
  const path = readSocketPath(payload);
  if (path === "" || path.includes("\0")) return refuse("not the path of a socket", { target: loggedText(path) });
  const hook = "checkSocketForwardRequest";
  const answer: unknown = await callHook(hook, () => server.checkSocketForwardRequest(path, connection));
  if (answer === false) return refuse("refused by the decision", { target: loggedText(path) });
  if (answer !== true) throw wrongAnswer(hook, "true or false", answer);
  return forwarding.sockets.listen(path);
}

async function cancelSocket(context: ChannelContext, { kind, fields }: Request): Promise<boolean | Uint8Array> {
  const { server, connection, forwarding, log } = context;
  const payload = Buffer.from(fields.readRest());
  const refuse = (target?: string) => {
    log.refused("cancel-streamlocal-forward@openssh.com", NOT_LISTENED_ON, { target });
    return false;
  };
  if (!decidesSocketForwarding(server)) {
    const isPermitted = mayListenOnSocket(connection.permissions);
    const answer = isPermitted && (await checkGlobalRequest(context, kind, payload));
    return answer === false ? refuse() : answer;
  }
  const path = readSocketPath(payload);
  return (await forwarding.sockets.cancel(path)) || refuse(loggedText(path));
}

/** The field of both requests about sockets (OpenSSH PROTOCOL §2.4). @throws {ProtocolError} when it is malformed */
function readSocketPath(payload: Buffer): string {
  const fields = new Reader(payload);
  const path = fields.readText();
  fields.end();
  return path;
}

/** @throws {HookError} for an answer that is neither `true`, `false` nor bytes */
async function checkGlobalRequest(
  { server, connection }: ChannelContext,
  kind: string,
  payload: Buffer,
): Promise<boolean | Uint8Array> {
  return answerOf(
    "checkGlobalRequest",
    () => server.checkGlobalRequest(kind, payload, connection),
    "true, false or bytes",
    (answer) => typeof answer === "boolean" || answer instanceof Uint8Array,
  );
}
