import { Channel, type ChannelLink, type ChannelParameters } from "../../src/connection/channel.js";
import type { ChannelAuthority } from "../../src/connection/channel-authority.js";
import { Multiplexer } from "../../src/connection/multiplexer.js";
import type { MultiplexerLink } from "../../src/connection/multiplexer-link.js";
import type { ProtocolError } from "../../src/protocol/errors.js";
import type { Request } from "../../src/protocol/messages/requests.js";

/** One end of a connection that has no transport: its messages lie in a queue until they are delivered. */
export class End implements MultiplexerLink, ChannelAuthority {
  readonly multiplexer: Multiplexer;
  readonly #underWay: Buffer[] = [];
  readonly writable = true;
  readonly acceptsRequests = true;
  readonly opened: Channel[] = [];
  readonly closed: number[] = [];
  readonly failures: ProtocolError[] = [];
  readonly failedHooks: unknown[] = [];
  readonly ignoredMessages: string[] = [];
  decideOpen: (kind: string, channelId: number, fields: Buffer) => unknown = () => 0;
  channelRequest: (channel: Channel, request: Request) => boolean | Promise<boolean> = () => true;
  globalRequest: ChannelAuthority["globalRequest"] = () => false;

  constructor(maxChannels: number) {
    this.multiplexer = new Multiplexer({ maxChannels, maxWindowSize: 2 * 1024 * 1024 }, this, this);
  }

  /** Hands everything that is under way to the other end; returns how many messages there were. */
  deliverTo(other: End): number {
    const messages = this.#underWay.splice(0);
    for (const message of messages) other.multiplexer.receive(message);
    return messages.length;
  }

  /** The numbers of the messages that are under way. */
  get underWay(): number[] {
    return this.#underWay.map(([number = 0]) => number);
  }

  send(payload: Buffer): void {
    this.#underWay.push(Buffer.from(payload));
  }

  sendData(head: Buffer, parts: readonly Uint8Array[]): void {
    this.#underWay.push(Buffer.concat([head, ...parts]));
  }

  createChannel(parameters: ChannelParameters, link: ChannelLink): Channel {
    return new Channel(parameters, link, undefined);
  }

  channelOpened(channel: Channel): void {
    this.opened.push(channel);
  }

  channelClosed({ id }: Channel): void {
    this.closed.push(id);
  }

  globalRequestReceived(): void {}

  hold(): () => void {
    return () => {};
  }

  failed(error: ProtocolError): void {
    this.failures.push(error);
  }

  hookFailed(_what: string, error: unknown): void {
    this.failedHooks.push(error);
  }

  ignored(kind: string): void {
    this.ignoredMessages.push(kind);
  }

  refused(): void {}

  warned(): void {}
}

/** Two ends of one connection, neither of which is a server or a client. */
export class Pair {
  readonly one: End;
  readonly other: End;

  constructor({ maxChannels = 10, maxChannelsOfOther }: { maxChannels?: number; maxChannelsOfOther?: number } = {}) {
    this.one = new End(maxChannels);
    this.other = new End(maxChannelsOfOther ?? maxChannels);
  }

  /** Delivers until nothing is under way and nothing is decided any more. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      const delivered = this.one.deliverTo(this.other) + this.other.deliverTo(this.one);
      quiet = delivered === 0 ? quiet + 1 : 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A channel that one end has opened, as both see it. */
  async open(from: End, to: End): Promise<[ours: Channel, theirs: Channel]> {
    const opening = from.multiplexer.openChannel("test");
    await this.settle();
    const theirs = to.opened.at(-1);
    if (theirs === undefined) throw new Error("the channel was not opened");
    return [await opening, theirs];
  }
}
