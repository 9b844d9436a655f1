import { types } from "node:util";

/**
 * Whether a value that was thrown is an Error and not a proxy; never throws. In a context of `node:vm`, where test runners run
 * programs, `instanceof Error` is false for the errors of Node.js's own modules.
 */
export function isError(thrown: unknown): thrown is Error {
  try {
    return (
      types.isNativeError(thrown) || (!types.isProxy(thrown) && (thrown instanceof Error || looksLikeError(thrown)))
    );
  } catch {
    return false; // it has getters, or a prototype, that throw
  }
}

/** The message of an Error, and any other value as text. */
export function messageOf(thrown: unknown): string {
  return isError(thrown) ? thrown.message : String(thrown);
}

/** Not every version of Node.js counts a DOMException, such as an AbortError, as a native error. */
function looksLikeError(thrown: unknown): boolean {
  return (
    typeof thrown === "object" &&
    thrown !== null &&
    ["name", "message", "stack"].every((name) => typeof Reflect.get(thrown, name) === "string")
  );
}
