import type { MaybePromise } from "../base/maybe-promise.js";
import type { FileOutcome } from "./file-outcome.js";
import type { FileHandle } from "./file-system.js";

/** Ends the use of a file by the one method of its handle that is for this outcome. */
export function endFile(handle: FileHandle, outcome: FileOutcome): MaybePromise<void> {
  if (outcome.result === "aborted" && handle.abort !== undefined) return handle.abort(outcome);
  return handle.close?.(outcome);
}
