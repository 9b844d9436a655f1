import { type Channel, type ChannelLink, type ChannelParameters, type ChannelPort, portOf } from "./channel.js";
import type { ChannelAuthority } from "./channel-authority.js";
import { LingeringChannels } from "./lingering-channels.js";
import { RequestQueue, type WaitingBudget } from "./request-queue.js";

/** Bytes by which the windows of one connection may have grown together. */
const MAX_WINDOW_GROWTH = 32 * 1024 * 1024;

/** An open channel, with what its peer has asked of it. */
export interface OpenChannel<AnyChannel> {
  readonly channel: AnyChannel;
  readonly port: ChannelPort;
  readonly requests: RequestQueue;
  /** Nobody is told of it: its opener had stopped waiting, or no data could be sent on it. */
  readonly unwanted: boolean;
}

/** The open channels of a connection by our numbers, and the places that it has for channels. */
export class OpenChannels<AnyChannel extends Channel> {
  readonly #maxChannels: number;
  readonly #authority: ChannelAuthority<AnyChannel>;
  readonly #channels = new Map<number, OpenChannel<AnyChannel>>();
  #lingering: LingeringChannels | undefined;
  #nextId = 0;
  /** Places of channels that are being opened, or are gone while a hook or a reader still works for them. */
  #reserved = 0;
  #windowGrowth = 0;
  #unwanted = 0;

  constructor(maxChannels: number, authority: ChannelAuthority<AnyChannel>) {
    this.#maxChannels = maxChannels;
    this.#authority = authority;
  }

  /** The channels that somebody has heard of. */
  get count(): number {
    return this.#channels.size - this.#unwanted;
  }

  get(id: number): OpenChannel<AnyChannel> | undefined {
    return this.#channels.get(id);
  }

  /** Whether a channel has, or once had, this number. */
  hasGiven(id: number): boolean {
    return id < this.#nextId;
  }

  /** Reserves a place for a channel that is to be opened; `undefined` if no place is left. */
  reserve(): { readonly id: number; release(): void } | undefined {
    const full = this.#channels.size + this.#reserved >= this.#maxChannels;
    if (full && !this.#lingering?.dropUnheard()) return undefined;
    this.#reserved++;
    return { id: this.#nextId++, release: () => this.#reserved-- };
  }

  add(parameters: ChannelParameters, link: ChannelLink, budget: WaitingBudget, unwanted = false) {
    const channel = this.#authority.createChannel(parameters, link);
    const open = { channel, port: portOf(channel), requests: new RequestQueue(budget), unwanted };
    this.#channels.set(parameters.id, open);
    if (unwanted) this.#unwanted++;
    return open;
  }

  mayGrowWindow(bytes: number): boolean {
    if (this.#windowGrowth + bytes > MAX_WINDOW_GROWTH) return false;
    this.#windowGrowth += bytes;
    return true;
  }

  /** Both sides have closed the channel, or the connection is gone. */
  closed(id: number): void {
    const open = this.#channels.get(id);
    if (open === undefined) return;
    this.#channels.delete(id);
    this.#reserved++;
    open.requests.clear(() => {
      if (open.port.work === undefined) this.#reserved--;
      else void open.port.work.then(() => this.#reserved--);
    });
    this.#windowGrowth -= growthOf(open);
    if (open.unwanted) this.#unwanted--;
    else this.#authority.channelClosed(open.channel);
  }

  /** The reader of a closed channel is behind: until it has come to the end, the channel counts as an open one. */
  linger(closed: OpenChannel<AnyChannel>): void {
    const growth = growthOf(closed);
    this.#reserved++;
    this.#windowGrowth += growth;
    this.#lingering ??= new LingeringChannels();
    this.#lingering.add(closed.channel, () => {
      this.#reserved--;
      this.#windowGrowth -= growth;
    });
  }

  /** The connection is gone. */
  closeAll(): void {
    for (const { port } of [...this.#channels.values()]) port.connectionClosed();
    this.#lingering?.dropAll();
  }
}

function growthOf({ port }: OpenChannel<Channel>): number {
  const { size, initialSize } = port.input.window;
  return size - initialSize;
}
