import { loggedText } from "../base/logged-text.js";

/** A channel was not opened (RFC 4254 §5.1). */
export class ChannelOpenError extends Error {
  override readonly name = "ChannelOpenError";
  /** 1 to 4, OPEN_FAILED_…, or what else the peer has sent. */
  readonly reason: number;
  /** Why, in the words of the peer: cut, and with control characters escaped. */
  readonly description: string;

  constructor(reason: number, description: string, options?: ErrorOptions) {
    const text = loggedText(description);
    super(`the channel was not opened: ${text === "" ? "no description" : text} (reason ${reason})`, options);
    this.reason = reason;
    this.description = text;
  }
}
