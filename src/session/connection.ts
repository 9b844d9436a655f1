import type { Identity } from "../auth/authenticator.js";
import type { Permissions } from "../auth/permissions.js";
import type { Channel } from "../connection/channel.js";
import type { AnswerOptions, RequestOptions } from "../connection/outgoing-request.js";
import type { DisconnectReason } from "../protocol/constants.js";
import type { NegotiatedNames } from "../transport/negotiation.js";

/** A client's connection, as hooks see it. `Data` is what its `Grant` has for the user: `identity.data`. */
export interface Connection<Data = unknown> {
  /** Unique in the process, and among the workers of `serveWithWorkers`. */
  readonly id: number;
  /** The number of the worker that serves it; `undefined` where one process serves. */
  readonly worker: number | undefined;
  /** The address that the client connects from, if the stream tells. */
  readonly remoteAddress: string | undefined;
  /** The port that the client connects from, if the stream tells. */
  readonly remotePort: number | undefined;
  /** The address and port of our end of the stream, which the client has come in by, also behind a proxy. */
  readonly localAddress: string | undefined;
  /** The port of `localAddress`. */
  readonly localPort: number | undefined;
  /** The time when the connection was accepted. */
  readonly connectedAt: Date;
  /**
   * The client's identification line, e.g. `SSH-2.0-OpenSSH_9.2`; empty before it came. Each byte is a character of
   * Latin-1, and any byte but NUL, CR and LF may be there.
   */
  readonly clientVersion: string;
  /** The negotiated algorithms; `undefined` before the first key exchange is over. */
  readonly algorithms: NegotiatedNames | undefined;
  /** The user who is there: `undefined` until authentication has succeeded. */
  readonly identity: Identity<Data> | undefined;
  /** Name of the authenticated user: `identity.username`. */
  readonly username: string | undefined;
  /** The user's permissions: `identity.permissions`, and none before that. The library enforces them. */
  readonly permissions: Permissions;
  /**
   * Methods that the user named in the present attempts has proven so far, in order. For hooks of servers that want
   * several factors.
   */
  readonly provenMethods: readonly string[];
  /** Bytes on the wire. */
  readonly bytesReceived: number;
  /** Bytes on the wire. */
  readonly bytesSent: number;
  /** Open channels. */
  readonly channelCount: number;
  /** Fires when the connection ends, however it ends. */
  readonly signal: AbortSignal;
  /**
   * Opens a channel towards the client, once it has logged in (RFC 4254 §5.1): `forwarded-tcpip`,
   * `auth-agent@openssh.com`, … It counts as one of `maxChannels` from now on, whatever the client
   * answers, and for two minutes if it does not.
   *
   * @param fields of this kind of channel: those of RFC 4254 §7.2 for `forwarded-tcpip`
   * @param options.signal ends the waiting; a channel that the client opens all the same is closed
   * @returns the channel; rejects with a ChannelOpenError when the client refuses or there are too many channels, with an
   *   AnswerTimeoutError after two minutes, and with an Error before the login, when the connection ends, and while the
   *   client does not take what was sent before
   */
  openChannel(kind: string, fields?: Uint8Array, options?: AnswerOptions): Promise<AnyChannel<Data>>;
  /**
   * Asks something of the client that is not about a channel, once it has logged in (RFC 4254 §4).
   *
   * @returns the bytes of a successful reply, often none; `false` where the client refuses. Rejects with an
   *   AnswerTimeoutError after two minutes, and with an Error before the login, when the connection ends, when the client
   *   has not answered the last 256 requests, and while it does not take what was sent before
   */
  sendGlobalRequest(kind: string, fields?: Uint8Array, options?: RequestOptions): Promise<Buffer | false>;
  /** Ends the connection with SSH_MSG_DISCONNECT. The message goes to the client. */
  disconnect(reason?: DisconnectReason, message?: string): void;
  /**
   * Makes new keys now, unless an exchange of keys is under way or nobody has logged in (RFC 4253 §9). Data that is
   * written meanwhile waits.
   */
  rekey(): void;
  /**
   * Ends the connection, since its client is not wanted here: RefuseConnection of sshd_config(5). Before the login the
   * client's source gets the penalty `refuseConnection`.
   */
  refuse(): void;
  /**
   * To be called by an authentication hook when the user does not exist: if the client leaves without a login,
   * its source gets the penalty `invalidUser`. The client is told nothing.
   */
  reportInvalidUser(): void;
}

/** Any channel of a connection: a session's, or one that leads elsewhere. `instanceof` tells which. */
export type AnyChannel<Data = unknown> = Channel<Connection<Data>>;
