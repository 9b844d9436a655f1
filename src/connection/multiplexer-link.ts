import { InvalidTextError, ProtocolError } from "../protocol/errors.js";
import type { RequestLink } from "./outgoing-request.js";

/** Messages that mean nothing and are ignored, as sshd does. */
export type IgnoredMessage =
  | "reply to no global request"
  | "reply to no channel request"
  | "window adjustment for a channel that is not open"
  | "second EOF on a channel";

/** The way to the peer, as the multiplexer sees it. */
export interface MultiplexerLink extends RequestLink {
  /** Whether channel data can be sent now; `resume` is called when it can again. */
  readonly writable: boolean;
  sendData(head: Buffer, parts: readonly Uint8Array[]): void;
  /** Stops the handling of the connection's messages until the returned function is called. */
  hold(): () => void;
  /** The connection cannot go on. */
  failed(error: ProtocolError): void;
  /** A hook has thrown, or a stream has met an error that nobody listens for. */
  hookFailed(what: string, error: unknown): void;
  /** A message that changes nothing was ignored. */
  ignored(kind: IgnoredMessage): void;
  /**
   * A request, or a channel, was refused before anybody was asked: for a text in it, or as there are too many channels.
   *
   * @param reason one of a fixed set, without any text of the peer
   */
  refused(what: string, reason: string): void;
  /** Our own program has asked for something that comes too late, or has met something that the log has to tell. */
  warned(channelId: number, message: string, fields?: object): void;
}

/** A request of the peer could not be decided: it was malformed, or its hook has thrown. */
export function requestFailed(link: MultiplexerLink, what: string, error: unknown): void {
  if (error instanceof InvalidTextError) link.refused(what, error.message);
  else if (error instanceof ProtocolError) link.failed(error);
  else link.hookFailed(what, error);
}
