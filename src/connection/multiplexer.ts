import {
  MessageNumber,
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_RESOURCE_SHORTAGE,
  OPEN_SUCCEEDED,
} from "../protocol/constants.js";
import { InvalidTextError, ProtocolError } from "../protocol/errors.js";
import {
  type ChannelOpen,
  decodeChannelOpen,
  encodeChannelOpenConfirmation,
  encodeChannelOpenFailure,
} from "../protocol/messages/channel-open.js";
import {
  decodeRequest,
  encodeGlobalRequest,
  encodeRequestFailure,
  encodeRequestSuccess,
} from "../protocol/messages/requests.js";
import { Reader } from "../protocol/reader.js";
import { type Channel, type ChannelLink, type ChannelPort, portOf } from "./channel.js";
import type { ChannelAuthority } from "./channel-authority.js";
import { type ChannelSender, MAX_DATA_LENGTH } from "./channel-sender.js";
import { LingeringChannels } from "./lingering-channels.js";
import type { MultiplexerLink } from "./multiplexer-link.js";
import { RequestQueue, WaitingBudget } from "./request-queue.js";

/** Bytes by which the windows of one connection may have grown together. */
const MAX_WINDOW_GROWTH = 32 * 1024 * 1024;

/** Where the name of a channel request begins: after message number and channel. */
const CHANNEL_REQUEST_OFFSET = 5;

const NO_FIELDS = Buffer.alloc(0);

/** Texts for CHANNEL_OPEN_FAILURE, by reason. */
const openFailures: Readonly<Record<number, string>> = {
  1: "administratively prohibited",
  2: "connect failed",
  3: "unknown channel type",
  4: "too many channels",
};

export interface MultiplexerOptions {
  /** Channels that one connection may have open or opening. */
  readonly maxChannels: number;
  /** Bytes that a channel's window may grow to. */
  readonly maxWindowSize: number;
}

/** An open channel, with what its peer has asked of it. */
interface OpenChannel<AnyChannel> {
  readonly channel: AnyChannel;
  readonly port: ChannelPort;
  readonly requests: RequestQueue;
}

/** The connection protocol (RFC 4254): channels, their windows and requests, global requests. */
export class Multiplexer<AnyChannel extends Channel = Channel> {
  readonly #options: MultiplexerOptions;
  readonly #authority: ChannelAuthority<AnyChannel>;
  readonly #link: MultiplexerLink;
  readonly #channelLink: ChannelLink;
  readonly #channels = new Map<number, OpenChannel<AnyChannel>>();
  readonly #lingering = new LingeringChannels();
  readonly #waitingBudget: WaitingBudget;
  readonly #globalRequests: RequestQueue;
  readonly #waitingSenders = new Set<ChannelSender>();
  #nextId = 0;
  /** Channels that are being decided on, or are gone while a hook still works for them. */
  #reserved = 0;
  #windowGrowth = 0;
  /** Keepalives that the client has not answered. */
  #keepalivesUnanswered = 0;
  #closed = false;

  constructor(options: MultiplexerOptions, authority: ChannelAuthority<AnyChannel>, link: MultiplexerLink) {
    this.#options = options;
    this.#authority = authority;
    this.#link = link;
    this.#waitingBudget = new WaitingBudget(() => link.hold());
    this.#globalRequests = new RequestQueue(this.#waitingBudget);
    this.#channelLink = {
      maxWindowSize: options.maxWindowSize,
      get writable() {
        return link.writable;
      },
      send: (payload) => link.send(payload),
      sendData: (head, parts) => link.sendData(head, parts),
      waitUntilWritable: (sender) => this.#waitingSenders.add(sender),
      mayGrowWindow: (bytes) => this.#mayGrowWindow(bytes),
      closed: (id) => this.#channelClosed(id),
      errorIgnored: (id, error) => link.hookFailed(`stream of channel ${id}`, error),
      misused: (id, message) => link.misused(id, message),
    };
  }

  /** Open channels. */
  get channelCount(): number {
    return this.#channels.size;
  }

  /**
   * Takes a message of RFC 4254.
   *
   * @throws {ProtocolError} for messages that end the connection
   */
  receive(payload: Buffer): void {
    switch (payload[0]) {
      case MessageNumber.GLOBAL_REQUEST:
        this.#receiveGlobalRequest(kept(payload, this.#globalRequests));
        return;
      case MessageNumber.REQUEST_SUCCESS:
      case MessageNumber.REQUEST_FAILURE:
        // phpseclib answers the announcement of host keys, which wants no answer.
        if (this.#keepalivesUnanswered === 0) this.#link.ignored("reply to no global request");
        else this.#keepalivesUnanswered--;
        return;
      case MessageNumber.CHANNEL_OPEN:
        this.#receiveOpen(decodeChannelOpen(payload));
        return;
      default:
        this.#receiveOnChannel(payload);
    }
  }

  /** Asks the client for a sign of life. */
  sendKeepalive(): void {
    this.#keepalivesUnanswered++;
    this.#link.send(encodeGlobalRequest("keepalive@openssh.com", "wanted"));
  }

  /** Tells the client something that it need not answer (RFC 4254 §4). */
  sendGlobalRequest(kind: string, fields: Uint8Array): void {
    this.#link.send(encodeGlobalRequest(kind, "unwanted", fields));
  }

  /** Channel data can be sent again. */
  resume(): void {
    for (const sender of this.#waitingSenders) {
      // One that has to stop again comes back at the end of the line.
      if (!this.#link.writable) return;
      this.#waitingSenders.delete(sender);
      sender.pump();
    }
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    this.#globalRequests.clear(() => {});
    this.#waitingSenders.clear();
    for (const { port } of [...this.#channels.values()]) port.connectionClosed();
    this.#lingering.dropAll();
  }

  #receiveOnChannel(payload: Buffer): void {
    const reader = new Reader(payload, 1);
    const id = reader.readUint32();
    if (payload[0] === MessageNumber.CHANNEL_SUCCESS || payload[0] === MessageNumber.CHANNEL_FAILURE) {
      this.#link.ignored("reply to no channel request");
      return;
    }
    const entry = this.#channels.get(id);
    if (entry === undefined) {
      this.#receiveOnNoChannel(payload[0], id);
      return;
    }
    const { port } = entry;
    switch (payload[0]) {
      case MessageNumber.CHANNEL_DATA:
        port.input.receiveData(lastString(reader));
        return;
      case MessageNumber.CHANNEL_EXTENDED_DATA:
        reader.readUint32();
        port.input.receiveExtendedData(lastString(reader));
        return;
      case MessageNumber.CHANNEL_WINDOW_ADJUST: {
        const bytes = reader.readUint32();
        reader.end();
        port.output.adjustWindow(bytes);
        return;
      }
      case MessageNumber.CHANNEL_EOF:
        reader.end();
        if (port.input.eofReceived) this.#link.ignored("second EOF on a channel");
        else port.input.receiveEof();
        return;
      case MessageNumber.CHANNEL_CLOSE:
        reader.end();
        port.receiveClose();
        if (!entry.channel.destroyed) this.#linger(entry);
        return;
      case MessageNumber.CHANNEL_REQUEST:
        this.#receiveChannelRequest(entry, kept(payload, entry.requests));
        return;
      default:
        throw new ProtocolError(`message ${payload[0]} answers nothing that was asked`);
    }
  }

  /** @throws {ProtocolError} for a message that needs a channel */
  #receiveOnNoChannel(number: number | undefined, id: number): void {
    if (number !== MessageNumber.CHANNEL_WINDOW_ADJUST) {
      throw new ProtocolError(`message ${number} for channel ${id}, which is not open`);
    }
    // An adjustment may cross our CLOSE on its way.
    if (id >= this.#nextId) this.#link.ignored("window adjustment for a channel that is not open");
  }

  #receiveChannelRequest({ channel, port, requests }: OpenChannel<AnyChannel>, payload: Buffer): void {
    const { output } = port;
    if (output.closeSent) return;
    const request = decodeRequest(new Reader(payload, CHANNEL_REQUEST_OFFSET));
    // The reply goes out before whatever the hook writes.
    const release = request.wantReply ? output.hold() : undefined;
    requests.add(
      payload.length,
      () => !output.closeSent && this.#authority.channelRequest(channel, request),
      (success) => {
        if (request.wantReply) output.reply(success ? "success" : "failure");
        release?.();
      },
      (error) => this.#requestFailed(`channel request ${request.kind}`, error),
    );
  }

  #receiveGlobalRequest(payload: Buffer): void {
    const request = decodeRequest(new Reader(payload, 1));
    this.#authority.globalRequestReceived(request.kind);
    let reply: Buffer = encodeRequestFailure();
    this.#globalRequests.add(
      payload.length,
      async () => {
        const answer = await this.#authority.globalRequest(request);
        if (answer === true) reply = encodeRequestSuccess();
        else if (answer instanceof Uint8Array) reply = encodeRequestSuccess(answer);
        return true;
      },
      () => {
        if (request.wantReply) this.#link.send(reply);
      },
      (error) => this.#requestFailed(`global request ${request.kind}`, error),
    );
  }

  #requestFailed(what: string, error: unknown): void {
    if (error instanceof InvalidTextError) this.#link.textRefused(what, error.message);
    else if (error instanceof ProtocolError) this.#link.failed(error);
    else this.#link.hookFailed(what, error);
  }

  #receiveOpen(open: ChannelOpen): void {
    // No data could ever be sent on it, and a sender that tries would try without end.
    if (open.maximumPacketSize === 0) {
      this.#refuseOpen(open, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED);
      return;
    }
    if (this.#full && !this.#lingering.dropUnheard()) {
      this.#refuseOpen(open, OPEN_FAILED_RESOURCE_SHORTAGE);
      return;
    }
    void this.#decideOpen(open, this.#nextId++);
  }

  async #decideOpen(open: ChannelOpen, id: number): Promise<void> {
    this.#reserved++;
    let decision: unknown;
    try {
      decision = this.#authority.decideOpen(open.kind, id, open.fields);
      if (typeof decision === "object") decision = await decision;
    } catch (error) {
      this.#requestFailed(
        error instanceof InvalidTextError ? `channel of type ${open.kind}` : "checkChannelRequest",
        error,
      );
    }
    this.#reserved--;
    if (this.#closed) return;
    if (decision === OPEN_SUCCEEDED) this.#confirmOpen(open, id);
    else this.#refuseOpen(open, decision);
  }

  #confirmOpen(open: ChannelOpen, id: number): void {
    const channel = this.#authority.createChannel(
      {
        id,
        recipientChannel: open.senderChannel,
        kind: open.kind,
        openFields: Buffer.from(open.fields),
        windowSize: open.initialWindowSize,
        maximumPacketSize: open.maximumPacketSize,
      },
      this.#channelLink,
    );
    const port = portOf(channel);
    this.#channels.set(id, { channel, port, requests: new RequestQueue(this.#waitingBudget) });
    const { initialSize } = port.input.window;
    this.#link.send(
      encodeChannelOpenConfirmation({
        recipientChannel: open.senderChannel,
        senderChannel: id,
        initialWindowSize: initialSize,
        maximumPacketSize: MAX_DATA_LENGTH,
        fields: NO_FIELDS,
      }),
    );
    this.#authority.channelOpened(channel);
  }

  #refuseOpen(open: ChannelOpen, decision: unknown): void {
    const reason =
      typeof decision === "number" && decision in openFailures ? decision : OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED;
    const description = openFailures[reason] ?? "";
    this.#link.send(encodeChannelOpenFailure({ recipientChannel: open.senderChannel, reason, description }));
  }

  get #full(): boolean {
    return this.#channels.size + this.#reserved >= this.#options.maxChannels;
  }

  /** Its reader is behind: until it has come to the end, the channel counts as an open one. */
  #linger({ channel, port }: OpenChannel<AnyChannel>): void {
    const { size, initialSize } = port.input.window;
    this.#reserved++;
    this.#windowGrowth += size - initialSize;
    this.#lingering.add(channel, () => {
      this.#reserved--;
      this.#windowGrowth -= size - initialSize;
    });
  }

  #mayGrowWindow(bytes: number): boolean {
    if (this.#windowGrowth + bytes > MAX_WINDOW_GROWTH) return false;
    this.#windowGrowth += bytes;
    return true;
  }

  #channelClosed(id: number): void {
    const entry = this.#channels.get(id);
    if (entry === undefined) return;
    const { channel, port, requests } = entry;
    this.#channels.delete(id);
    this.#reserved++;
    requests.clear(() => this.#reserved--);
    this.#windowGrowth -= port.input.window.size - port.input.window.initialSize;
    this.#authority.channelClosed(channel);
  }
}

/** The payload in memory of its own, if its request has to wait: it would keep the chunk that it lies in. */
function kept(payload: Buffer, requests: RequestQueue): Buffer {
  return requests.busy ? Buffer.from(payload) : payload;
}

function lastString(reader: Reader): Buffer {
  const bytes = reader.readString();
  reader.end();
  return bytes;
}
