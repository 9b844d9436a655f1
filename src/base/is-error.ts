import { types } from "node:util";

/**
 * Whether a value that was thrown is an Error, and no proxy; never throws. The errors of Node.js's own modules are none of
 * this `Error` where a program is run in a context of `node:vm`, as test runners do: `instanceof Error` is false there.
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

/** What whoever threw the value says: the message of an Error, and any other value as text. */
export function messageOf(thrown: unknown): string {
  return isError(thrown) ? thrown.message : String(thrown);
}

/** A DOMException, such as an AbortError, is no native error in each version of Node.js. */
function looksLikeError(thrown: unknown): boolean {
  return (
    typeof thrown === "object" &&
    thrown !== null &&
    ["name", "message", "stack"].every((name) => typeof Reflect.get(thrown, name) === "string")
  );
}
