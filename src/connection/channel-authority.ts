import type { MaybePromise } from "../base/maybe-promise.js";
import type { Request } from "../protocol/messages/requests.js";
import type { Channel, ChannelLink, ChannelParameters } from "./channel.js";

/** The layer that decides what channels may be and do. A throw or rejection refuses. */
export interface ChannelAuthority<AnyChannel extends Channel = Channel> {
  /** Returns OPEN_SUCCEEDED, an AcceptedOpen, a reason of RFC 4254 §5.1 or an OpenRefusal; anything else refuses. */
  decideOpen(kind: string, channelId: number, fields: Buffer): unknown;
  /** Makes the object for a channel that is open from now on. */
  createChannel(parameters: ChannelParameters, link: ChannelLink): AnyChannel;
  channelOpened(channel: AnyChannel): void;
  channelClosed(channel: AnyChannel): void;
  channelRequest(channel: AnyChannel, request: Request): MaybePromise<boolean>;
  /** A global request has come. It is not its turn yet where others wait. */
  globalRequestReceived(kind: string): void;
  /** Returns whether the request succeeds, or the bytes of a successful reply. */
  globalRequest(request: Request): MaybePromise<boolean | Uint8Array>;
}
