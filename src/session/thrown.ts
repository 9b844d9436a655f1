import { inspect, types } from "node:util";

const SHOWN = { depth: 1, customInspect: false, maxArrayLength: 10, maxStringLength: 1000, breakLength: Infinity };

/** Whatever a handler has thrown as an error for the log, whose message and stack can be read without running its code. */
export function thrownError(thrown: unknown): Error {
  if (types.isNativeError(thrown)) return thrown;
  return new Error(`something was thrown that is not an Error: ${inspect(thrown, SHOWN)}`);
}
