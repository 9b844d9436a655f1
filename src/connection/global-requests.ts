import {
  decodeGlobalRequest,
  decodeRequestSuccess,
  encodeGlobalRequest,
  encodeRequestFailure,
  encodeRequestSuccess,
} from "../protocol/messages/requests.js";
import type { ChannelAuthority } from "./channel-authority.js";
import { type MultiplexerLink, requestFailed } from "./multiplexer-link.js";
import { checkRequest, checkRequestOptions, checkRoom, NO_FIELDS, type RequestOptions } from "./outgoing-request.js";
import { mayBeIgnored } from "./pending-answer.js";
import { PendingReplies } from "./pending-replies.js";
import { RequestQueue, type WaitingBudget } from "./request-queue.js";

/** Requests that are not about a channel (RFC 4254 §4), in both directions. */
export class GlobalRequests {
  readonly #authority: Pick<ChannelAuthority, "globalRequestReceived" | "globalRequest">;
  readonly #link: MultiplexerLink;
  readonly #received: RequestQueue;
  readonly #replies = new PendingReplies<Buffer | false>();

  constructor(
    authority: Pick<ChannelAuthority, "globalRequestReceived" | "globalRequest">,
    link: MultiplexerLink,
    budget: WaitingBudget,
  ) {
    this.#authority = authority;
    this.#link = link;
    this.#received = new RequestQueue(budget);
  }

  async send(kind: string, fields: Uint8Array, options: RequestOptions): Promise<Buffer | false> {
    checkRequest(kind, fields);
    const { wantReply, signal } = checkRequestOptions(options);
    checkRoom(this.#link);
    const reply = wantReply ? this.#replies.add(signal) : NO_FIELDS;
    this.#link.send(encodeGlobalRequest(kind, wantReply ? "wanted" : "unwanted", fields));
    return reply;
  }

  /** Asks the peer for a sign of life. One that answers nothing is told in the end that it need not. */
  sendKeepalive(): void {
    const wantReply = !this.#replies.full;
    void mayBeIgnored(this.send("keepalive@openssh.com", NO_FIELDS, { wantReply }));
  }

  /** SSH_MSG_GLOBAL_REQUEST */
  receive(payload: Buffer): void {
    const request = decodeGlobalRequest(payload);
    this.#authority.globalRequestReceived(request.kind);
    let reply: Buffer = encodeRequestFailure();
    this.#received.add(
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
      (error) => requestFailed(this.#link, `global request ${request.kind}`, error),
    );
  }

  /** SSH_MSG_REQUEST_SUCCESS */
  receiveSuccess(payload: Buffer): void {
    this.#receiveReply(decodeRequestSuccess(payload));
  }

  /** SSH_MSG_REQUEST_FAILURE */
  receiveFailure(): void {
    this.#receiveReply(false);
  }

  /** The connection is gone. */
  close(createError: () => Error): void {
    this.#received.clear(() => {});
    this.#replies.fail(createError);
  }

  #receiveReply(reply: Buffer | false): void {
    // phpseclib answers the announcement of host keys, which wants no answer.
    if (!this.#replies.receive(reply)) this.#link.ignored("reply to no global request");
  }
}
