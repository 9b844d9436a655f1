import { Readable } from "node:stream";
import { portOf } from "../connection/channel.js";
import type { SessionChannel } from "./session-channel.js";
import type { SessionEndedError } from "./session-ended-error.js";

/**
 * The input of a session: what the client sends, until its EOF. A handler that stops reading early, by `break` in a `for await`,
 * ends nothing but this stream. A client that is gone without an EOF is an error: what came may not be all.
 */
export class SessionInput extends Readable {
  readonly #channel: SessionChannel;
  readonly #endReason: () => SessionEndedError;
  #attached = false;
  #lent = false;
  /** Somebody waits for more. */
  #wanted = false;

  /** @param endReason tells why the client is gone */
  constructor(channel: SessionChannel, endReason: () => SessionEndedError) {
    super();
    this.#channel = channel;
    this.#endReason = endReason;
    // The handler need not listen: it hears from the session's signal, too.
    this.on("error", () => {});
  }

  /**
   * Leaves the input to another program: nothing is read here.
   *
   * @returns takes it back
   */
  lend(): () => void {
    this.#lent = true;
    this.#detach();
    return () => {
      this.#lent = false;
      if (this.#wanted) this._read();
    };
  }

  override _read(): void {
    this.#wanted = true;
    if (this.#lent || this.destroyed) return;
    this.#attach();
    this.#channel.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#detach();
    callback(error);
  }

  #detach(): void {
    if (!this.#attached) return;
    this.#attached = false;
    this.#channel.off("data", this.#receive).off("end", this.#ended).off("close", this.#closed).pause();
  }

  #attach(): void {
    if (this.#attached) return;
    this.#attached = true;
    if (this.#channel.readableEnded) this.#ended();
    else if (this.#channel.destroyed) this.#closed();
    else this.#channel.on("data", this.#receive).on("end", this.#ended).on("close", this.#closed);
  }

  readonly #receive = (chunk: Buffer): void => {
    this.#wanted = this.push(chunk);
    if (!this.#wanted) this.#channel.pause();
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
