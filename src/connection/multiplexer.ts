import { MessageNumber } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import {
  decodeChannelMessage,
  decodeData,
  decodeExtendedData,
  decodeRecipientChannel,
  decodeWindowAdjust,
} from "../protocol/messages/channels.js";
import { decodeChannelRequest } from "../protocol/messages/requests.js";
import type { Channel, ChannelLink } from "./channel.js";
import type { ChannelAuthority } from "./channel-authority.js";
import { ChannelOpens } from "./channel-opens.js";
import type { ChannelSender } from "./channel-sender.js";
import { GlobalRequests } from "./global-requests.js";
import { type MultiplexerLink, requestFailed } from "./multiplexer-link.js";
import { type OpenChannel, OpenChannels } from "./open-channels.js";
import { type AnswerOptions, NO_FIELDS, type RequestOptions } from "./outgoing-request.js";
import { mayBeIgnored } from "./pending-answer.js";
import { WaitingBudget } from "./request-queue.js";

export interface MultiplexerOptions {
  /** Channels that one connection may have open or opening, whichever side opens them. */
  readonly maxChannels: number;
  /** Bytes that a channel's window may grow to. */
  readonly maxWindowSize: number;
}

/** The connection protocol (RFC 4254), the same for both roles: channels, their windows and requests, global requests. */
export class Multiplexer<AnyChannel extends Channel = Channel> {
  readonly #authority: ChannelAuthority<AnyChannel>;
  readonly #link: MultiplexerLink;
  readonly #channels: OpenChannels<AnyChannel>;
  readonly #opens: ChannelOpens<AnyChannel>;
  readonly #globalRequests: GlobalRequests;
  readonly #waitingSenders = new Set<ChannelSender>();
  #ended = false;

  constructor(options: MultiplexerOptions, authority: ChannelAuthority<AnyChannel>, link: MultiplexerLink) {
    this.#authority = authority;
    this.#link = link;
    const budget = new WaitingBudget(() => link.hold());
    const channels = new OpenChannels(options.maxChannels, authority);
    const channelLink = new LinkOfChannels(link, channels, this.#waitingSenders, options.maxWindowSize);
    this.#channels = channels;
    this.#opens = new ChannelOpens(channels, authority, link, channelLink, budget);
    this.#globalRequests = new GlobalRequests(authority, link, budget);
  }

  /** Open channels. */
  get channelCount(): number {
    return this.#channels.count;
  }

  /**
   * Opens a channel (RFC 4254 §5.1). One whose opener stops waiting is closed as soon as the peer confirms it; until the
   * peer answers, or has had its time for that, it counts as a channel.
   *
   * @param fields of this kind of channel
   * @returns the channel; rejects with a ChannelOpenError when the peer refuses, or there are too many channels, and with
   *   an AnswerTimeoutError
   */
  openChannel(kind: string, fields: Uint8Array = NO_FIELDS, options: AnswerOptions = {}): Promise<AnyChannel> {
    return this.#ask(() => this.#opens.open(kind, fields, options));
  }

  /**
   * Asks something of the peer that is not about a channel (RFC 4254 §4).
   *
   * @returns the bytes of a successful reply, often none; `false` where the request fails
   */
  sendGlobalRequest(
    kind: string,
    fields: Uint8Array = NO_FIELDS,
    options: RequestOptions = {},
  ): Promise<Buffer | false> {
    return this.#ask(() => this.#globalRequests.send(kind, fields, options));
  }

  /** Asks the peer for a sign of life. */
  sendKeepalive(): void {
    this.#globalRequests.sendKeepalive();
  }

  /**
   * Takes a message of RFC 4254.
   *
   * @throws {ProtocolError} for messages that end the connection
   */
  receive(payload: Buffer): void {
    switch (payload[0]) {
      case MessageNumber.GLOBAL_REQUEST:
        this.#globalRequests.receive(payload);
        return;
      case MessageNumber.REQUEST_SUCCESS:
        this.#globalRequests.receiveSuccess(payload);
        return;
      case MessageNumber.REQUEST_FAILURE:
        this.#globalRequests.receiveFailure();
        return;
      case MessageNumber.CHANNEL_OPEN:
        this.#opens.receiveOpen(payload);
        return;
      case MessageNumber.CHANNEL_OPEN_CONFIRMATION:
        this.#opens.receiveConfirmation(payload);
        return;
      case MessageNumber.CHANNEL_OPEN_FAILURE:
        this.#opens.receiveFailure(payload);
        return;
      default:
        this.#receiveOnChannel(payload);
    }
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
    this.#ended = true;
    this.#globalRequests.close(connectionEnded);
    this.#opens.close(connectionEnded);
    this.#waitingSenders.clear();
    this.#channels.closeAll();
  }

  #ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    return mayBeIgnored(this.#ended ? Promise.reject(connectionEnded()) : ask());
  }

  #receiveOnChannel(payload: Buffer): void {
    const id = decodeRecipientChannel(payload);
    const open = this.#channels.get(id);
    if (payload[0] === MessageNumber.CHANNEL_SUCCESS || payload[0] === MessageNumber.CHANNEL_FAILURE) {
      const answers = open?.port.receiveReply(payload[0] === MessageNumber.CHANNEL_SUCCESS) ?? false;
      if (!answers) this.#link.ignored("reply to no channel request");
      return;
    }
    if (open === undefined) {
      this.#receiveOnNoChannel(payload[0], id);
      return;
    }
    const { input, output } = open.port;
    switch (payload[0]) {
      case MessageNumber.CHANNEL_DATA:
        input.receiveData(decodeData(payload).data);
        return;
      case MessageNumber.CHANNEL_EXTENDED_DATA:
        input.receiveExtendedData(decodeExtendedData(payload).data);
        return;
      case MessageNumber.CHANNEL_WINDOW_ADJUST:
        output.adjustWindow(decodeWindowAdjust(payload).bytes);
        return;
      case MessageNumber.CHANNEL_EOF:
        decodeChannelMessage(payload);
        if (input.eofReceived) this.#link.ignored("second EOF on a channel");
        else input.receiveEof();
        return;
      case MessageNumber.CHANNEL_CLOSE:
        decodeChannelMessage(payload);
        open.port.receiveClose();
        if (!open.channel.destroyed) this.#channels.linger(open);
        return;
      case MessageNumber.CHANNEL_REQUEST:
        this.#receiveRequest(open, payload);
    }
  }

  /** @throws {ProtocolError} for a message that needs a channel */
  #receiveOnNoChannel(number: number | undefined, id: number): void {
    if (number !== MessageNumber.CHANNEL_WINDOW_ADJUST) {
      throw new ProtocolError(`message ${number} for channel ${id}, which is not open`);
    }
    // An adjustment may cross our CLOSE on its way.
    if (!this.#channels.hasGiven(id)) this.#link.ignored("window adjustment for a channel that is not open");
  }

  #receiveRequest({ channel, port, requests }: OpenChannel<AnyChannel>, payload: Buffer): void {
    const { output } = port;
    if (output.closeSent) return;
    const request = decodeChannelRequest(payload);
    // The reply goes out before whatever the hook writes.
    const release = request.wantReply ? output.hold() : undefined;
    requests.add(
      payload.length,
      () => !output.closeSent && this.#authority.channelRequest(channel, request),
      (success) => {
        if (request.wantReply) output.reply(success ? "success" : "failure");
        release?.();
      },
      (error) => requestFailed(this.#link, `channel request ${request.kind}`, error),
    );
  }
}

/** The way from the channels of one multiplexer to the peer. */
class LinkOfChannels implements ChannelLink {
  readonly maxWindowSize: number;
  readonly #link: MultiplexerLink;
  readonly #channels: Pick<OpenChannels<Channel>, "mayGrowWindow" | "closed">;
  readonly #waitingSenders: Set<ChannelSender>;

  constructor(
    link: MultiplexerLink,
    channels: Pick<OpenChannels<Channel>, "mayGrowWindow" | "closed">,
    waitingSenders: Set<ChannelSender>,
    maxWindowSize: number,
  ) {
    this.maxWindowSize = maxWindowSize;
    this.#link = link;
    this.#channels = channels;
    this.#waitingSenders = waitingSenders;
  }

  get writable(): boolean {
    return this.#link.writable;
  }

  get acceptsRequests(): boolean {
    return this.#link.acceptsRequests;
  }

  send(payload: Buffer): void {
    this.#link.send(payload);
  }

  sendData(head: Buffer, parts: readonly Uint8Array[]): void {
    this.#link.sendData(head, parts);
  }

  waitUntilWritable(sender: ChannelSender): void {
    this.#waitingSenders.add(sender);
  }

  mayGrowWindow(bytes: number): boolean {
    return this.#channels.mayGrowWindow(bytes);
  }

  closed(channelId: number): void {
    this.#channels.closed(channelId);
  }

  errorIgnored(channelId: number, error: Error): void {
    this.#link.hookFailed(`stream of channel ${channelId}`, error);
  }

  warned(channelId: number, message: string, fields?: object): void {
    this.#link.warned(channelId, message, fields);
  }
}

const connectionEnded = () => new Error("the connection has ended");
