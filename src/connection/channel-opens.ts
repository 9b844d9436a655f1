import {
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_RESOURCE_SHORTAGE,
  OPEN_SUCCEEDED,
} from "../protocol/constants.js";
import {
  type ChannelOpen,
  decodeChannelOpen,
  decodeChannelOpenConfirmation,
  decodeChannelOpenFailure,
  encodeChannelOpen,
  encodeChannelOpenConfirmation,
  encodeChannelOpenFailure,
} from "../protocol/messages/channel-open.js";
import { AcceptedOpen } from "./accepted-open.js";
import type { Channel, ChannelLink } from "./channel.js";
import type { ChannelAuthority } from "./channel-authority.js";
import { ChannelOpenError } from "./channel-open-error.js";
import { MAX_DATA_LENGTH } from "./channel-sender.js";
import { type MultiplexerLink, requestFailed } from "./multiplexer-link.js";
import type { OpenChannels } from "./open-channels.js";
import { type OpenRefusal, openRefusal } from "./open-refusal.js";
import { OpeningChannels } from "./opening-channels.js";
import { type AnswerOptions, checkAnswerOptions, checkRequest, checkRoom, NO_FIELDS } from "./outgoing-request.js";
import { initialWindowSize } from "./receive-window.js";
import type { WaitingBudget } from "./request-queue.js";

/** The opening of channels (RFC 4254 §5.1), in both directions. */
export class ChannelOpens<AnyChannel extends Channel> {
  readonly #channels: OpenChannels<AnyChannel>;
  readonly #authority: ChannelAuthority<AnyChannel>;
  readonly #link: MultiplexerLink;
  readonly #channelLink: ChannelLink;
  readonly #budget: WaitingBudget;
  readonly #opening = new OpeningChannels<AnyChannel>();
  #ended = false;

  constructor(
    channels: OpenChannels<AnyChannel>,
    authority: ChannelAuthority<AnyChannel>,
    link: MultiplexerLink,
    channelLink: ChannelLink,
    budget: WaitingBudget,
  ) {
    this.#channels = channels;
    this.#authority = authority;
    this.#link = link;
    this.#channelLink = channelLink;
    this.#budget = budget;
  }

  /** Asks the peer for a channel. */
  async open(kind: string, fields: Uint8Array, options: AnswerOptions): Promise<AnyChannel> {
    checkRequest(kind, fields);
    const { signal } = checkAnswerOptions(options);
    checkRoom(this.#link);
    this.#opening.checkRoom();
    const place = this.#channels.reserve();
    if (place === undefined) {
      throw new ChannelOpenError(OPEN_FAILED_RESOURCE_SHORTAGE, "the connection has too many channels");
    }
    const open = {
      kind,
      senderChannel: place.id,
      initialWindowSize: initialWindowSize(this.#channelLink.maxWindowSize),
      maximumPacketSize: MAX_DATA_LENGTH,
      fields: Buffer.from(fields),
    };
    const channel = this.#opening.add(open, signal, place.release);
    this.#link.send(encodeChannelOpen(open));
    return channel;
  }

  /**
   * SSH_MSG_CHANNEL_OPEN_CONFIRMATION
   *
   * @throws {ProtocolError} when this channel is not being opened
   */
  receiveConfirmation(payload: Buffer): void {
    const { recipientChannel: id, senderChannel, ...peer } = decodeChannelOpenConfirmation(payload);
    const { open, answer } = this.#opening.take(id);
    // No data could ever be sent on it, and a sender that tries would try without end.
    if (peer.maximumPacketSize === 0) {
      answer.reject(new ChannelOpenError(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, "the peer takes packets of no size"));
    }
    const unwanted = answer.settled;
    const { channel } = this.#channels.add(
      {
        id,
        recipientChannel: senderChannel,
        kind: open.kind,
        openFields: open.fields,
        windowSize: peer.initialWindowSize,
        maximumPacketSize: peer.maximumPacketSize,
        openedBy: "us",
      },
      this.#channelLink,
      this.#budget,
      unwanted,
    );
    if (unwanted) {
      channel.destroy();
      return;
    }
    answer.resolve(channel);
    this.#authority.channelOpened(channel);
    // Data and CLOSE may follow at once. Its opener gets the channel first, as others do in their hook.
    setImmediate(this.#link.hold());
  }

  /**
   * SSH_MSG_CHANNEL_OPEN_FAILURE
   *
   * @throws {ProtocolError} when this channel is not being opened
   */
  receiveFailure(payload: Buffer): void {
    const { recipientChannel, reason, description } = decodeChannelOpenFailure(payload);
    this.#opening.take(recipientChannel).answer.reject(new ChannelOpenError(reason, description));
  }

  /** SSH_MSG_CHANNEL_OPEN */
  receiveOpen(payload: Buffer): void {
    const open = decodeChannelOpen(payload);
    // No data could ever be sent on it, and a sender that tries would try without end.
    if (open.maximumPacketSize === 0) {
      this.#refuse(open, openRefusal(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED));
      return;
    }
    const place = this.#channels.reserve();
    if (place === undefined) {
      this.#refuse(open, openRefusal(OPEN_FAILED_RESOURCE_SHORTAGE));
      this.#link.refused(describe(open), "too many channels");
      return;
    }
    // The channel keeps its fields, however long the rest of the message is.
    void this.#decide({ ...open, fields: Buffer.from(open.fields) }, place.id, place.release);
  }

  /** The connection is gone. */
  close(createError: () => Error): void {
    this.#ended = true;
    this.#opening.fail(createError);
  }

  async #decide(open: ChannelOpen, id: number, release: () => void): Promise<void> {
    let decision: unknown;
    let refusal: OpenRefusal | undefined = openRefusal(undefined);
    try {
      decision = this.#authority.decideOpen(open.kind, id, open.fields);
      if (typeof decision === "object") decision = await decision;
      const isAllowed = decision === OPEN_SUCCEEDED || decision instanceof AcceptedOpen;
      refusal = isAllowed ? undefined : openRefusal(decision);
    } catch (error) {
      requestFailed(this.#link, describe(open), error);
    }
    const accepted = decision instanceof AcceptedOpen ? decision : undefined;
    release();
    if (this.#ended) accepted?.abandoned();
    else if (refusal === undefined) this.#confirm(open, id, accepted);
    else this.#refuse(open, refusal);
  }

  #confirm(open: ChannelOpen, id: number, accepted: AcceptedOpen<AnyChannel> | undefined): void {
    const { channel, port } = this.#channels.add(
      {
        id,
        recipientChannel: open.senderChannel,
        kind: open.kind,
        openFields: open.fields,
        windowSize: open.initialWindowSize,
        maximumPacketSize: open.maximumPacketSize,
        openedBy: "peer",
      },
      this.#channelLink,
      this.#budget,
    );
    this.#link.send(
      encodeChannelOpenConfirmation({
        recipientChannel: open.senderChannel,
        senderChannel: id,
        initialWindowSize: port.input.window.initialSize,
        maximumPacketSize: MAX_DATA_LENGTH,
        fields: NO_FIELDS,
      }),
    );
    accepted?.opened(channel);
    this.#authority.channelOpened(channel);
  }

  #refuse({ senderChannel }: ChannelOpen, refusal: OpenRefusal): void {
    this.#link.send(encodeChannelOpenFailure({ recipientChannel: senderChannel, ...refusal }));
  }
}

function describe({ kind }: ChannelOpen): string {
  return `channel of type ${kind}`;
}
