import { ChannelOpenError } from "../connection/channel-open-error.js";
import { openRefusal } from "../connection/open-refusal.js";

/**
 * The error of a target that a client is not connected to.
 *
 * @param reason of RFC 4254 §5.1, which is all that the client is told
 * @param cause for the log
 */
export function openFailure(reason: number, cause: unknown): ChannelOpenError {
  return new ChannelOpenError(reason, openRefusal(reason).description, { cause });
}
