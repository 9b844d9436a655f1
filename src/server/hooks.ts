import type { Authenticator, Identity } from "../auth/authenticator.js";
import { Channel } from "../connection/channel.js";
import type { ChannelAuthority } from "../connection/channel-authority.js";
import { mayListen, mayListenOnSocket, mayOpenChannel } from "../forwarding/forwarding-permissions.js";
import { readOpenFields } from "../forwarding/open-fields.js";
import { OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_FAILED_CONNECT_FAILED } from "../protocol/constants.js";
import type { Request } from "../protocol/messages/requests.js";
import { Writer } from "../protocol/writer.js";
import type { AnyChannel, Connection } from "../session/connection.js";
import { SessionChannel } from "../session/session-channel.js";
import { handleSessionRequest, type SessionHooks } from "../session/session-requests.js";
import { HOST_KEYS_PROVE, type HostKeyProof } from "./host-keys/host-key-proof.js";
import type { SSHServer } from "./ssh-server.js";

const MAX_PORT = 65_535;

/** Reports a hook that has thrown where its result does not matter. */
export type HookFailed = (hook: string, error: unknown) => void;

/** The authentication hooks of a server, bound to one connection. */
export function bindAuthenticator(
  server: SSHServer,
  connection: Connection,
  progress: {
    /** The user named in the present attempts has proven these methods. */
    proven(methods: readonly string[]): void;
    /** The user has proven all that was asked; `undefined` if a hook refuses all the same. */
    identified(identity: Identity | undefined): void;
  },
  hookFailed: HookFailed,
): Authenticator {
  return {
    permissions: server.authentication.permissions,
    requiredMethods: (username) => server.getRequiredAuths(username, connection),
    isRevoked: (key, username) => server.checkKeyRevoked(key, connection, username),
    allowedMethods: (username) => server.getAllowedAuths(username, connection),
    banner: (username) => server.getBanner(connection, username),
    none: (username) => server.checkAuthNone(username, connection),
    password: (username, password) => server.checkAuthPassword(username, password, connection),
    passwordChange: (username, oldPassword, newPassword) =>
      server.checkAuthPasswordChange(username, oldPassword, newPassword, connection),
    publicKey: (username, key, algorithm) => server.checkAuthPublickey(username, key, connection, algorithm),
    keyboardInteractive: (username, submethods, prompt) =>
      server.checkAuthKeyboardInteractive(username, submethods, prompt, connection),
    proven: (methods) => progress.proven(methods),
    succeeded: async (identity, method) => {
      progress.identified(identity);
      try {
        await server.onAuthenticationSuccessful(identity.username, method, connection);
      } catch (error) {
        progress.identified(undefined);
        throw error;
      }
    },
    failed: (username, method) =>
      notify("onAuthenticationFailed", hookFailed, () => server.onAuthenticationFailed(username, method, connection)),
  };
}

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
      return server.checkChannelRequest(kind, channelId, connection, open);
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
        : exactly(server.checkUnknownChannelRequest(channel, request.kind, Buffer.from(request.fields.readRest()))),
    globalRequestReceived: () => {},
    globalRequest: (request) => decideGlobalRequest(server, connection, hostKeyProof, request),
  };
}

/** The session hooks of a server: they find everything on the channel, so that all connections share them. */
export function bindSessionHooks(server: SSHServer): SessionHooks {
  return {
    exec: (channel, command) => exactly(server.checkChannelExecRequest(channel, command)),
    shell: (channel) => exactly(server.checkChannelShellRequest(channel)),
    subsystem: (channel, name) => exactly(server.checkChannelSubsystemRequest(channel, name)),
    pty: (channel, { term, width, height, pixelWidth, pixelHeight, modes }) =>
      exactly(server.checkChannelPtyRequest(channel, term, width, height, pixelWidth, pixelHeight, modes)),
    windowChange: (channel, { width, height, pixelWidth, pixelHeight }) =>
      exactly(server.checkChannelWindowChangeRequest(channel, width, height, pixelWidth, pixelHeight)),
    environment: (channel, name, value) => exactly(server.checkChannelEnvRequest(channel, name, value)),
    x11: (channel, singleConnection, authProtocol, authCookie, screenNumber) =>
      exactly(server.checkChannelX11Request(channel, singleConnection, authProtocol, authCookie, screenNumber)),
    unknown: (channel, kind, payload) => exactly(server.checkUnknownChannelRequest(channel, kind, payload)),
  };
}

async function decideGlobalRequest(
  server: SSHServer,
  connection: Connection,
  hostKeyProof: HostKeyProof | undefined,
  request: Request,
): Promise<boolean | Uint8Array> {
  const { kind, fields } = request;
  switch (kind) {
    case "tcpip-forward": {
      const address = fields.readText();
      const port = fields.readUint32();
      fields.end();
      // A hook is not asked about a number that cannot be a port: it would listen on it.
      if (port > MAX_PORT || !mayListen(connection.permissions, address, port)) return false;
      const bound = await server.checkPortForwardRequest(address, port, connection);
      if (typeof bound !== "number" || !Number.isInteger(bound) || bound < 1 || bound > MAX_PORT) return false;
      // The reply carries the port only where the client has left it open (RFC 4254 §7.1).
      return port === 0 ? new Writer(4).writeUint32(bound).toBuffer() : true;
    }
    case "cancel-tcpip-forward": {
      const address = fields.readText();
      const port = fields.readUint32();
      fields.end();
      if (port > MAX_PORT || !mayListen(connection.permissions, address, port)) return false;
      return exactly(server.checkPortForwardCancelRequest(address, port, connection));
    }
    case "keepalive@openssh.com":
    case "no-more-sessions@openssh.com":
      return true;
    case "streamlocal-forward@openssh.com":
    case "cancel-streamlocal-forward@openssh.com":
      if (!mayListenOnSocket(connection.permissions)) return false;
      return server.checkGlobalRequest(kind, Buffer.from(fields.readRest()), connection);
    case HOST_KEYS_PROVE:
      return hostKeyProof?.answer(request) ?? false;
    default:
      return server.checkGlobalRequest(kind, Buffer.from(fields.readRest()), connection);
  }
}

/** Only exactly `true` allows. */
function exactly(decision: boolean | Promise<boolean>): boolean | Promise<boolean> {
  if (typeof decision === "boolean") return decision;
  return Promise.resolve(decision).then((value) => value === true);
}

async function notify(hook: string, hookFailed: HookFailed, call: () => void | Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    hookFailed(hook, error);
  }
}
