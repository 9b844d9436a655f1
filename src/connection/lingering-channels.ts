import type { Channel } from "./channel.js";

/**
 * Channels that both sides have closed while a reader has still to get what the peer sent before. They hold memory as
 * open ones do, so they keep their place until the reader has come to the end.
 */
export class LingeringChannels {
  readonly #places = new Map<Channel, () => void>();

  /** @param release gives the channel's place back; called once */
  add(channel: Channel, release: () => void): void {
    this.#places.set(channel, release);
    channel.once("close", () => this.#release(channel));
  }

  /** Destroys the oldest channel that nobody listens to any more, and tells whether there was one. */
  dropUnheard(): boolean {
    for (const channel of this.#places.keys()) {
      if (channel.listenerCount("data") > 0 || channel.listenerCount("readable") > 0) continue;
      this.#drop(channel);
      return true;
    }
    return false;
  }

  /** The connection is gone. */
  dropAll(): void {
    for (const channel of [...this.#places.keys()]) this.#drop(channel);
  }

  #drop(channel: Channel): void {
    channel.destroy();
    this.#release(channel);
  }

  #release(channel: Channel): void {
    const release = this.#places.get(channel);
    this.#places.delete(channel);
    release?.();
  }
}
