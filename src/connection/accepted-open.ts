import type { Channel } from "./channel.js";

/** The decision to open a channel for somebody who waits for it: a socket that is connected already, say. */
export class AcceptedOpen<AnyChannel extends Channel = Channel> {
  /** The channel is open. */
  readonly opened: (channel: AnyChannel) => void;
  /** The connection has ended meanwhile: there is no channel. */
  readonly abandoned: () => void;

  constructor(opened: (channel: AnyChannel) => void, abandoned: () => void) {
    this.opened = opened;
    this.abandoned = abandoned;
  }
}
