import { Channel, type ChannelLink, portOf } from "../../src/connection/channel.js";
import type { ChannelSender } from "../../src/connection/channel-sender.js";
import type { AnyChannel, Connection } from "../../src/session/connection.js";
import { SessionChannel } from "../../src/session/session-channel.js";
import { describeMessage } from "./channel-messages.js";
import { fakeConnection } from "./fake-connection.js";

/** The client's number of the test channel. */
const RECIPIENT = 42;

/** The client's end of a channel, and the connection under it, as far as a channel sees them. */
export class TestLink implements ChannelLink {
  readonly maxWindowSize: number;
  /** What the client got, in words. */
  readonly received: string[] = [];
  /** Bytes the channel has granted beyond the first window. */
  granted = 0;
  readonly ignoredErrors: Error[] = [];
  readonly misuses: string[] = [];
  closings = 0;
  readonly acceptsRequests = true;
  #writable = true;
  #waiting: ChannelSender | undefined;

  constructor(maxWindowSize: number) {
    this.maxWindowSize = maxWindowSize;
  }

  get writable(): boolean {
    return this.#writable;
  }

  set writable(writable: boolean) {
    this.#writable = writable;
    const waiting = this.#waiting;
    if (!writable || waiting === undefined) return;
    this.#waiting = undefined;
    waiting.pump();
  }

  waitUntilWritable(sender: ChannelSender): void {
    this.#waiting = sender;
  }

  send(payload: Buffer): void {
    if (payload.readUInt32BE(1) !== RECIPIENT) throw new Error("not for this channel");
    const message = describeMessage(payload);
    if (message.startsWith("window ")) this.granted += Number(message.slice("window ".length));
    else this.received.push(message);
  }

  sendData(head: Buffer, parts: readonly Uint8Array[]): void {
    this.send(Buffer.concat([head, ...parts]));
  }

  mayGrowWindow(): boolean {
    return true;
  }

  closed(): void {
    this.closings++;
  }

  errorIgnored(_channelId: number, error: Error): void {
    this.ignoredErrors.push(error);
  }

  warned(_channelId: number, message: string): void {
    this.misuses.push(message);
  }
}

export interface TestChannelOptions {
  readonly kind?: string;
  /** Bytes that the client takes. */
  readonly windowSize?: number;
  readonly maximumPacketSize?: number;
  /** Bytes that the channel's own window may grow to. */
  readonly maxWindowSize?: number;
  readonly connection?: Connection;
}

export interface TestChannel<Opened> {
  readonly channel: Opened;
  readonly link: TestLink;
}

/** What the peer does to a channel. */
export const inputOf = (channel: Channel) => portOf(channel).input;
export const outputOf = (channel: Channel) => portOf(channel).output;

/** A channel, by default a session's, and the other end of it. */
export function openTestChannel(
  options?: TestChannelOptions & { readonly kind?: "session" },
): TestChannel<SessionChannel>;
export function openTestChannel(options: TestChannelOptions): TestChannel<Channel<Connection>>;
export function openTestChannel(options: TestChannelOptions = {}): TestChannel<AnyChannel> {
  const link = new TestLink(options.maxWindowSize ?? 2 * 1024 * 1024);
  const { kind = "session", connection = fakeConnection() } = options;
  const parameters = {
    id: 0,
    recipientChannel: RECIPIENT,
    openedBy: "peer" as const,
    kind,
    openFields: Buffer.alloc(0),
    windowSize: options.windowSize ?? 1024 * 1024,
    maximumPacketSize: options.maximumPacketSize ?? 32 * 1024,
  };
  const channel =
    kind === "session" ? new SessionChannel(parameters, link, connection) : new Channel(parameters, link, connection);
  return { channel, link };
}

/** Lets everything happen that is due. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
}
