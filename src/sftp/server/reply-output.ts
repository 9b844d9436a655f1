import type { Duplex } from "node:stream";
import { isLending, type LendingStream, SEND_NOW } from "../../base/lending-stream.js";
import type { PooledPacket } from "../codec/packet-buffers.js";
import type { Reply } from "./requests/request.js";

/** Replies of this many bytes or less are copied for streams that may hold on to what they are given. */
const MAX_COPIED_LENGTH = 34 * 1024;

/** Replies of this many bytes or less go into one packet of SSH. */
const MAX_SHORT_LENGTH = 32 * 1024;

interface Sending {
  readonly bytes: Buffer;
  readonly sent: () => void;
}

/**
 * Sends replies. A short one that is alone, as to a client that waits for each answer, leaves at once, without the stream's machinery.
 * Others leave together, those of one turn of the event loop: most are a little longer or much shorter than a packet.
 */
export class ReplyOutput {
  readonly #stream: Duplex;
  /** Some streams say that they are done with a chunk when their reader has not seen it yet. */
  readonly #lending: LendingStream | undefined;
  /** A short reply that no other one has followed yet. */
  #alone: Sending | undefined;
  #isCorked = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#lending = isLending(stream) ? stream : undefined;
  }

  /** @param sent called once, when the stream has taken the reply or has failed: it gives the reply's buffer back */
  send(reply: Reply, sent: () => void): void {
    const bytes = Buffer.isBuffer(reply) ? reply : this.#bytesOf(reply);
    const isFirst = !this.#isCorked && this.#alone === undefined;
    if (isFirst && this.#lending !== undefined && bytes.length <= MAX_SHORT_LENGTH) {
      this.#alone = { bytes, sent };
      process.nextTick(this.flush);
      return;
    }
    this.#cork();
    const first = this.#alone;
    this.#alone = undefined;
    if (first !== undefined) this.#stream.write(first.bytes, first.sent);
    this.#stream.write(bytes, sent);
  }

  /** Lets a reply leave that waits for others. */
  readonly flush = (): void => {
    const { bytes, sent } = this.#alone ?? {};
    this.#alone = undefined;
    if (bytes === undefined || sent === undefined) return;
    const length = this.#lending?.[SEND_NOW](bytes) ?? 0;
    if (length === bytes.length) sent();
    else this.#stream.write(bytes.subarray(length), sent);
  };

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#stream.cork();
    setImmediate(this.#uncork);
  }

  #bytesOf(reply: PooledPacket): Buffer {
    const { bytes } = reply;
    if (this.#lending !== undefined) return bytes;
    // Clients ask for 255 KiB of files that hold a few bytes.
    if (bytes.length <= MAX_COPIED_LENGTH) return Buffer.from(bytes);
    reply.keep();
    return bytes;
  }

  readonly #uncork = (): void => {
    this.#isCorked = false;
    this.#stream.uncork();
  };
}
