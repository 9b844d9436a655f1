import { OPEN_FAILED_RESOURCE_SHORTAGE } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import type { ChannelOpen } from "../protocol/messages/channel-open.js";
import { ChannelOpenError } from "./channel-open-error.js";
import { NO_FIELDS } from "./outgoing-request.js";
import { PEER_LIMIT, PendingAnswer } from "./pending-answer.js";

/** Opens of ours that the peer may leave without an answer, beyond its time for one. */
const MAX_OVERDUE_OPENS = 256;

/** A channel that we have asked for. */
export interface OpeningChannel<AnyChannel> {
  readonly open: ChannelOpen;
  readonly answer: PendingAnswer<AnyChannel>;
}

interface Opening<AnyChannel> extends OpeningChannel<AnyChannel> {
  /** Ends the time for an answer; `undefined` when it is over. */
  readonly deadline: NodeJS.Timeout | undefined;
  /** Gives the place back that was reserved for it; nothing once the time for an answer is over. */
  readonly release: () => void;
}

/** Channels that we have asked for, until the peer confirms or refuses them (RFC 4254 §5.1), by our number. */
export class OpeningChannels<AnyChannel> {
  /** Made for the first one: few servers open channels. */
  #channels: Map<number, Opening<AnyChannel>> | undefined;
  #overdue = 0;

  /** @throws {ChannelOpenError} when the peer has left too many without an answer */
  checkRoom(): void {
    if (this.#overdue < MAX_OVERDUE_OPENS) return;
    const description = `the peer has not answered the last ${MAX_OVERDUE_OPENS} opens`;
    throw new ChannelOpenError(OPEN_FAILED_RESOURCE_SHORTAGE, description);
  }

  /** @param release gives the place back, when the peer has answered or has had its time */
  add(open: ChannelOpen, signal: AbortSignal | undefined, release: () => void): Promise<AnyChannel> {
    const answer = new PendingAnswer<AnyChannel>(signal);
    const deadline = setTimeout(() => this.#endTime(open.senderChannel), PEER_LIMIT.milliseconds);
    this.#channels ??= new Map();
    this.#channels.set(open.senderChannel, { open, answer, deadline, release });
    return answer.promise;
  }

  /**
   * The peer has answered.
   *
   * @throws {ProtocolError} when this channel is not being opened
   */
  take(id: number): OpeningChannel<AnyChannel> {
    const opening = this.#channels?.get(id);
    if (opening === undefined) throw new ProtocolError(`an answer about channel ${id}, which is not being opened`);
    this.#channels?.delete(id);
    clearTimeout(opening.deadline);
    if (opening.deadline === undefined) this.#overdue--;
    opening.release();
    return opening;
  }

  /** No more answers come. */
  fail(createError: () => Error): void {
    for (const { answer, deadline } of this.#channels?.values() ?? []) {
      clearTimeout(deadline);
      answer.reject(createError());
    }
    this.#channels?.clear();
  }

  /** The number stays taken, as an answer may still come; what the channel was to be is forgotten. */
  #endTime(id: number): void {
    const opening = this.#channels?.get(id);
    if (opening === undefined) return;
    const { open, answer, release } = opening;
    this.#channels?.set(id, { open: { ...open, fields: NO_FIELDS }, answer, deadline: undefined, release: () => {} });
    this.#overdue++;
    release();
    answer.reject(PEER_LIMIT.overdue());
  }
}
