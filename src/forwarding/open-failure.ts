import { ChannelOpenError } from "../connection/channel-open-error.js";
import { type OpenRefusal, openRefusal } from "../connection/open-refusal.js";
import { OPEN_FAILED_RESOURCE_SHORTAGE } from "../protocol/constants.js";

/**
 * The error of a target that a client is not connected to.
 *
 * @param reason of RFC 4254 §5.1, which is all that the client is told
 * @param cause for the log
 */
export function openFailure(reason: number, cause: unknown): ChannelOpenError {
  return new ChannelOpenError(reason, targetRefusal(reason).description, { cause });
}

/** The refusal of a client whose target is not reached. What there is too little of need not be channels. */
export function targetRefusal(reason: number): OpenRefusal {
  return reason === OPEN_FAILED_RESOURCE_SHORTAGE ? { reason, description: "resource shortage" } : openRefusal(reason);
}
