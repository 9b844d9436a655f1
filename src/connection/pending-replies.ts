import { PEER_LIMIT, PendingAnswer } from "./pending-answer.js";

/** Requests of ours that may wait for their replies at a time, on a connection and on each of its channels. */
const MAX_PENDING_REPLIES = 256;

/**
 * Requests that were sent and not answered. A reply does not say what it answers: replies come in the order of the
 * requests (RFC 4254 §4 and §5.4). One that nobody waits for any more keeps its place, so that later replies still match.
 */
export class PendingReplies<Reply> {
  readonly #pending: PendingAnswer<Reply>[] = [];

  get full(): boolean {
    return this.#pending.length >= MAX_PENDING_REPLIES;
  }

  /** @throws {Error} when too many are waiting */
  add(signal: AbortSignal | undefined): Promise<Reply> {
    if (this.full) throw new Error(`the peer has not answered the last ${MAX_PENDING_REPLIES} requests`);
    const answer = new PendingAnswer<Reply>(signal, PEER_LIMIT);
    this.#pending.push(answer);
    return answer.promise;
  }

  /** @returns whether there was a request that this reply answers */
  receive(reply: Reply): boolean {
    if (this.#pending.length === 0) return false;
    this.#pending.shift()?.resolve(reply);
    return true;
  }

  /** No more replies come. An error is made for each caller that waits, and most often there is none. */
  fail(createError: () => Error): void {
    for (const answer of this.#pending.splice(0)) answer.reject(createError());
  }
}
