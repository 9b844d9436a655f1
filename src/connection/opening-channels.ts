import { ProtocolError } from "../protocol/errors.js";
import type { ChannelOpen } from "../protocol/messages/channel-open.js";
import { PEER_LIMIT, PendingAnswer } from "./pending-answer.js";

/** A channel that we have asked for. */
export interface OpeningChannel<AnyChannel> {
  readonly open: ChannelOpen;
  readonly answer: PendingAnswer<AnyChannel>;
  /** Gives the place back that was reserved for it. */
  readonly release: () => void;
}

/** Channels that we have asked for, until the peer confirms or refuses them (RFC 4254 §5.1), by our number. */
export class OpeningChannels<AnyChannel> {
  readonly #channels = new Map<number, OpeningChannel<AnyChannel>>();

  add(open: ChannelOpen, signal: AbortSignal | undefined, release: () => void): Promise<AnyChannel> {
    const answer = new PendingAnswer<AnyChannel>(signal, PEER_LIMIT);
    this.#channels.set(open.senderChannel, { open, answer, release });
    return answer.promise;
  }

  /**
   * The peer has answered.
   *
   * @throws {ProtocolError} when this channel is not being opened
   */
  take(id: number): OpeningChannel<AnyChannel> {
    const opening = this.#channels.get(id);
    if (opening === undefined) throw new ProtocolError(`an answer about channel ${id}, which is not being opened`);
    this.#channels.delete(id);
    opening.release();
    return opening;
  }

  /** No more answers come. */
  fail(error: Error): void {
    for (const { answer } of this.#channels.values()) answer.reject(error);
    this.#channels.clear();
  }
}
