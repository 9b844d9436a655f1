import type { Identity } from "../auth/authenticator.js";
import type { DisconnectReason } from "../protocol/constants.js";
import type { Negotiated } from "../transport/negotiation.js";

/** The algorithms in use, by name. */
export interface NegotiatedNames {
  readonly kex: string;
  readonly hostKey: string;
  readonly clientToServer: { readonly cipher: string; readonly mac?: string; readonly compression: string };
  readonly serverToClient: { readonly cipher: string; readonly mac?: string; readonly compression: string };
}

/** A client's connection, as hooks see it. */
export interface Connection {
  /** Unique in the process. */
  readonly id: number;
  /** Where the client connects from, if the stream tells. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** When the connection was accepted. */
  readonly connectedAt: Date;
  /** The client's identification line, e.g. `SSH-2.0-OpenSSH_9.2`; empty before it came. */
  readonly clientVersion: string;
  /** What was negotiated; `undefined` before the first key exchange is over. */
  readonly algorithms: NegotiatedNames | undefined;
  /** Who is there: `undefined` until authentication has succeeded. */
  readonly identity: Identity | undefined;
  /** Name of the authenticated user: `identity.username`. */
  readonly username: string | undefined;
  /**
   * Methods that the user named in the present attempts has proven so far, in order. For hooks of servers that want
   * several factors.
   */
  readonly provenMethods: readonly string[];
  /** Bytes on the wire. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Open channels. */
  readonly channelCount: number;
  /** Fires when the connection ends, however it ends. */
  readonly signal: AbortSignal;
  /** Ends the connection with SSH_MSG_DISCONNECT. The message goes to the client. */
  disconnect(reason?: DisconnectReason, message?: string): void;
}

export function namesOf(negotiated: Negotiated): NegotiatedNames {
  const direction = ({ cipher, mac, compression }: Negotiated["clientToServer"]) => ({
    cipher: cipher.name,
    ...(mac === undefined ? {} : { mac: mac.name }),
    compression: compression.name,
  });
  return {
    kex: negotiated.kex.name,
    hostKey: negotiated.hostKey,
    clientToServer: direction(negotiated.clientToServer),
    serverToClient: direction(negotiated.serverToClient),
  };
}
