import { isThenable, type MaybePromise } from "./maybe-promise.js";

/**
 * A hook has thrown. Whatever it threw is the cause: a ProtocolError that a hook throws is not about the peer's messages.
 */
export class HookError extends Error {
  override readonly name = "HookError";
  /** The name of the hook. */
  readonly hook: string;

  constructor(hook: string, cause: unknown) {
    super(`the hook ${hook} has failed`, { cause });
    this.hook = hook;
  }
}

/**
 * Calls a hook. Where it has asked another one, a declaration for instance, and that has failed, the error names the other.
 *
 * @throws {HookError} in place of whatever the hook throws
 */
export function callHook<Result>(hook: string, call: () => MaybePromise<Result>): MaybePromise<Result> {
  let result: MaybePromise<Result>;
  try {
    result = call();
  } catch (error) {
    throw hookError(hook, error);
  }
  if (!isThenable(result)) return result;
  return Promise.resolve(result).catch((error: unknown) => {
    throw hookError(hook, error);
  });
}

function hookError(hook: string, error: unknown): HookError {
  return error instanceof HookError ? error : new HookError(hook, error);
}
