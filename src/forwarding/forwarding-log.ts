import { loggedText } from "../base/logged-text.js";
import type { Joined } from "./join.js";
import type { OpenFields } from "./open-fields.js";

/** The requests of a client that ask for a forwarding, as the log names them. */
export type ForwardingKind =
  | ChannelKind
  | "tcpip-forward"
  | "cancel-tcpip-forward"
  | "streamlocal-forward@openssh.com"
  | "cancel-streamlocal-forward@openssh.com"
  | "auth-agent-req@openssh.com"
  | "x11-req";

type ChannelKind =
  | "session"
  | "direct-tcpip"
  | "direct-streamlocal@openssh.com"
  | "tun@openssh.com"
  | "another type of channel";

const CHANNEL_KINDS: readonly string[] = [
  "session",
  "direct-tcpip",
  "direct-streamlocal@openssh.com",
  "tun@openssh.com",
];

/** The name of a type of channels: one of few, whatever the client has sent. */
export function forwardingKind(kind: string): ForwardingKind {
  return CHANNEL_KINDS.includes(kind) ? (kind as ChannelKind) : "another type of channel";
}

/** The target that a client wants to be connected to, for the log. */
export function targetText(open: OpenFields): string | undefined {
  if (Buffer.isBuffer(open)) return undefined;
  if ("socketPath" in open) return loggedText(open.socketPath.toString());
  return loggedText(endpointText(open.host, open.port));
}

/** A host and a port in one text. */
export function endpointText(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Learns of something that was not forwarded on a session. @param problem one of few, without any text of the client */
export type ForwardingReport = (problem: string, cause?: unknown) => void;

/** The log of a session's channel, for its agent and its display. */
export interface SessionForwardingLog {
  readonly refused: ForwardingReport;
  /** Something that was made for the session was not removed. @param problem as above */
  readonly notRemoved: ForwardingReport;
  /** The connection of a program is over. */
  ended(joined: Joined): void;
}

/** The log of a connection, for what is forwarded on it. */
export interface ForwardingLog {
  /**
   * Something was refused. The first of each kind and reason is a line, all of them are counted.
   *
   * @param reason one of few, without any text of the client
   */
  refused(
    kind: ForwardingKind,
    reason: string,
    details?: {
      readonly target?: string | undefined;
      readonly err?: unknown;
      /** Why a ready-made decision refuses it. */
      readonly cause?: string | undefined;
      /** What the program can do, where nothing in it allows that. */
      readonly remedy?: string | undefined;
    },
  ): void;
  /** A forwarded connection is over. */
  ended(kind: ForwardingKind, target: string | undefined, joined: Joined): void;
  /** A decision has thrown, or has returned something that is not an answer. */
  failed(hook: string, error: unknown): void;
}
