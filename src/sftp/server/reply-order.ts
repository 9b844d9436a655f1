/** A reply that may stand in a line of replies. */
export abstract class LinedReply {
  /** @internal For ReplyOrder: the reply behind this one, whether this one is ready, and whether none is before it. */
  behind: LinedReply | undefined;
  /** @internal */
  isReady = false;
  /** @internal */
  isFirst = true;
  /** @internal */
  hasLeft = false;

  /** The reply is ready, and those before it have left. */
  abstract leave(): void;
}

/** Lets replies to requests that run side by side leave in the order of the requests: a line for each object. */
export class ReplyOrder {
  readonly #last = new WeakMap<object, LinedReply>();

  /** Takes the place behind the last reply of a line. */
  join(line: object, reply: LinedReply): void {
    const last = this.#last.get(line);
    if (last !== undefined && !last.hasLeft) {
      last.behind = reply;
      reply.isFirst = false;
    }
    this.#last.set(line, reply);
  }

  /** Lets a reply leave, and those behind it that waited for it: at once, or when the one before has left. */
  ready(reply: LinedReply): void {
    reply.isReady = true;
    for (let next: LinedReply | undefined = reply; next?.isFirst && next.isReady; ) {
      const { behind }: LinedReply = next;
      next.hasLeft = true;
      next.behind = undefined;
      if (behind !== undefined) behind.isFirst = true;
      next.leave();
      next = behind;
    }
  }
}
