import { inspect } from "node:util";
import { isError } from "../base/is-error.js";

const SHOWN = { depth: 1, customInspect: false, maxArrayLength: 10, maxStringLength: 1000 };

/** The error for the log of whatever was thrown. */
export function thrownError(thrown: unknown): Error {
  if (isError(thrown)) return thrown;
  const text = safely(() => inspect(thrown, SHOWN), "it cannot be shown");
  return new Error(`something was thrown that is not an Error: ${text}`);
}

/** The codes of errors of streams whose other end is gone. */
const STREAM_ENDED: ReadonlySet<unknown> = new Set([
  "ABORT_ERR",
  "EPIPE",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  // Of a pipeline that begins with it; before Node.js 24 that is a premature close, too.
  "ERR_STREAM_UNABLE_TO_PIPE",
  "ERR_STREAM_WRITE_AFTER_END",
]);

/** Whether an error says no more than that a session, or its channel, is over. */
export function saysItIsOver(error: unknown): boolean {
  if (!isError(error)) return false;
  return safely(
    () =>
      error.name === "SessionEndedError" || error.name === "AbortError" || STREAM_ENDED.has(Reflect.get(error, "code")),
    false,
  );
}

/** Looks at something that may have getters, or a prototype, that throw. */
export function safely<Result>(look: () => Result, otherwise: Result): Result {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
