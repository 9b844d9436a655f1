import { inspect, types } from "node:util";

const SHOWN = { depth: 1, customInspect: false, maxArrayLength: 10, maxStringLength: 1000 };

/** Whether a thrown value is an Error that can be looked at without running code of whoever made it. */
export function isError(thrown: unknown): thrown is Error {
  return !types.isProxy(thrown) && thrown instanceof Error;
}

/** The error for the log of whatever was thrown. */
export function thrownError(thrown: unknown): Error {
  if (isError(thrown)) return thrown;
  return new Error(`something was thrown that is not an Error: ${inspect(thrown, SHOWN)}`);
}

/** The codes of errors of streams whose other end is gone. */
const STREAM_ENDED: ReadonlySet<unknown> = new Set([
  "ABORT_ERR",
  "EPIPE",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_WRITE_AFTER_END",
]);

/** Whether an error says no more than that a session, or its channel, is over. */
export function saysItIsOver(error: unknown): boolean {
  if (!isError(error)) return false;
  return (
    error.name === "SessionEndedError" || error.name === "AbortError" || STREAM_ENDED.has(Reflect.get(error, "code"))
  );
}
