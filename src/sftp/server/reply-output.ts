import type { Duplex } from "node:stream";
import { isLending } from "../../base/lending-stream.js";
import type { PooledPacket } from "../codec/packet-buffers.js";
import type { Reply } from "./requests/request.js";

/** Replies of this many bytes or less are copied for streams that may hold on to what they are given. */
const MAX_COPIED_LENGTH = 34 * 1024;

/** Sends replies. Those of one turn of the event loop leave together: most are a little longer or much shorter than a packet. */
export class ReplyOutput {
  readonly #stream: Duplex;
  /** Some streams say that they are done with a chunk when their reader has not seen it yet. */
  readonly #frees: boolean;
  #isCorked = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#frees = isLending(stream);
  }

  /** @param sent called once, when the stream has taken the reply or has failed: it gives the reply's buffer back */
  send(reply: Reply, sent: () => void): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#stream.cork();
      setImmediate(this.#uncork);
    }
    this.#stream.write(Buffer.isBuffer(reply) ? reply : this.#bytesOf(reply), sent);
  }

  #bytesOf(reply: PooledPacket): Buffer {
    const { bytes } = reply;
    if (this.#frees) return bytes;
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
