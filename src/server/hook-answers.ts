import { callHook } from "../base/hook-error.js";
import type { MaybePromise } from "../base/maybe-promise.js";

/** Reports a hook that has thrown where its result does not matter. */
export type HookFailed = (hook: string, error: unknown) => void;

/**
 * Calls a hook that allows by exactly `true`.
 *
 * @throws {HookError} in place of whatever the hook throws
 */
export function allowedBy(hook: string, call: () => MaybePromise<boolean>): boolean | Promise<boolean> {
  const decision = callHook(hook, call);
  return decision instanceof Promise ? decision.then((value) => value === true) : decision === true;
}

/** Calls a hook that decides nothing. */
export async function notify(hook: string, hookFailed: HookFailed, call: () => MaybePromise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    hookFailed(hook, error);
  }
}
