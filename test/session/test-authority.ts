import type { ChannelAuthority } from "../../src/connection/channel-authority.js";
import type { AnyChannel } from "../../src/session/connection.js";
import { SessionChannel } from "../../src/session/session-channel.js";
import { fakeConnection } from "../connection/fake-connection.js";

/** An authority that decides nothing but what may be opened. */
export function authorityOf(decideOpen: ChannelAuthority["decideOpen"]): ChannelAuthority<AnyChannel> {
  return {
    decideOpen,
    createChannel: (parameters, link) => new SessionChannel(parameters, link, fakeConnection()),
    channelOpened: () => {},
    channelClosed: () => {},
    channelRequest: () => false,
    globalRequestReceived: () => {},
    globalRequest: () => false,
  };
}
