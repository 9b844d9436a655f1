import type { Socket } from "node:net";
import type { Connection } from "../session/connection.js";

/** The client that asks for a forwarding. */
export interface ForwardingClient<Data = unknown> {
  /** The user who has logged in. */
  readonly user: string;
  /** The connection of the client. */
  readonly connection: Connection<Data>;
}

/** Changes and conditions that a decision adds to the target of a client. */
export interface ConnectOptions {
  /** Connects to this host, a name or an address, in place of the one that the client has named. */
  readonly host?: string;
  /** Connects to this port in place of the one that the client has named. */
  readonly port?: number;
  /**
   * Asked for each address of the host, after its name was resolved; the library connects to no address but those for
   * which it returns `true`.
   */
  readonly allowAddress?: (address: string) => boolean;
}

interface Target<Data> extends ForwardingClient<Data> {
  /** Fires when nobody waits for the decision any longer: the client is gone or refused, or it has taken too long. */
  readonly signal: AbortSignal;
}

/** The TCP port that a client wants to be connected to (`direct-tcpip`, RFC 4254 §7.2): `ssh -L`, `-D`, `-W`, `-J`. */
export interface TcpTarget<Data = unknown> extends Target<Data> {
  /** A name or an address, as the client says it. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
  /** Absent: this target is a port. Present in a SocketTarget. */
  readonly path?: undefined;
  /** The origin of the connection that is forwarded, as the client says: it may be anything. */
  readonly originatorAddress: string;
  /** 0 to 65535, as the client says. */
  readonly originatorPort: number;
  /**
   * Connects as the library does for the decision `true`: to be returned by a decision that has something to add.
   *
   * @returns a connected socket. Rejects with a ConfigurationError for options that cannot be used, and with a
   *   ChannelOpenError where there is no connection: as a decision, that refuses the client
   */
  connect(options?: ConnectOptions): Promise<Socket>;
}

/** The socket of the file system that a client wants to be connected to (`direct-streamlocal@openssh.com`). */
export interface SocketTarget<Data = unknown> extends Target<Data> {
  /** Absent: this target is a socket of the file system. */
  readonly host?: undefined;
  /** Absent, likewise. */
  readonly port?: undefined;
  /** As the client says it, without NUL: it may be any text. */
  readonly path: string;
  /**
   * Connects as the library does for the decision `true`, if the socket lies in one of `socketRoots`.
   *
   * @returns a connected socket. Rejects with a ChannelOpenError, which as a decision refuses the client
   */
  connect(): Promise<Socket>;
}

/** What a client wants to be connected with from the server. */
export type LocalTarget<Data = unknown> = TcpTarget<Data> | SocketTarget<Data>;

/** The TCP port that a client wants the server to listen on (`tcpip-forward`, RFC 4254 §7.1): `ssh -R`. */
export interface TcpListenRequest<Data = unknown> extends ForwardingClient<Data> {
  /** The address to bind, as the client says it: empty and `*` for all, `localhost`, `0.0.0.0`, `::`, or another one. */
  readonly address: string;
  /** 0 where the server may choose. */
  readonly port: number;
  /** Absent: this is about a port. Present in a SocketListenRequest. */
  readonly path?: undefined;
}

/** The socket of the file system that a client wants the server to listen on (`streamlocal-forward@openssh.com`). */
export interface SocketListenRequest<Data = unknown> extends ForwardingClient<Data> {
  /** Absent: this is about a socket of the file system. */
  readonly address?: undefined;
  /** Absent, likewise. */
  readonly port?: undefined;
  /** As the client says it, without NUL: it may be any text. */
  readonly path: string;
}

/** Where a client wants the server to listen for it. */
export type ListenRequest<Data = unknown> = TcpListenRequest<Data> | SocketListenRequest<Data>;
