import { Readable } from "node:stream";
import { portOf } from "../connection/channel.js";
import type { SessionChannel } from "./session-channel.js";
import type { SessionEndedError } from "./session-ended-error.js";

/**
 * The input of a session: what the client sends, until its EOF. Whoever stops reading early, by `break` in a `for await`, ends
 * nothing but this stream. A client that is gone without an EOF is an error: what came may not be all.
 */
export class SessionInput extends Readable {
  readonly #channel: SessionChannel;
  readonly #endReason: () => SessionEndedError;
  #attached = false;

  /** @param endReason tells why the client is gone */
  constructor(channel: SessionChannel, endReason: () => SessionEndedError) {
    super();
    this.#channel = channel;
    this.#endReason = endReason;
    // The handler need not listen: it hears from the session's signal, too.
    this.on("error", () => {});
  }

  override _read(): void {
    if (!this.#attached) this.#attach();
    this.#channel.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.#attached) {
      this.#channel.off("data", this.#receive).off("end", this.#ended).off("close", this.#closed);
      this.#channel.pause();
    }
    callback(error);
  }

  #attach(): void {
    this.#attached = true;
    if (this.#channel.readableEnded) this.#ended();
    else if (this.#channel.destroyed) this.#closed();
    else this.#channel.on("data", this.#receive).on("end", this.#ended).on("close", this.#closed);
  }

  readonly #receive = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#channel.pause();
  };

  readonly #ended = (): void => {
    if (portOf(this.#channel).input.endedByClose) this.#closed();
    else this.push(null);
  };

  readonly #closed = (): void => {
    if (!this.readableEnded && !this.#hasEnd) this.destroy(this.#endReason());
  };

  /** Whether the end is there and has still to be read. */
  get #hasEnd(): boolean {
    return this.#channel.readableEnded && !portOf(this.#channel).input.endedByClose;
  }
}
