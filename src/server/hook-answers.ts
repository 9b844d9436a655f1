import { Grant } from "../auth/grant.js";
import { isOfAnotherCopy, OF_ANOTHER_COPY } from "../base/another-copy.js";
import { callHook, HookError } from "../base/hook-error.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { kindOf } from "../base/option-checks.js";
import type { ProgramDecision, SessionChannel } from "../session/session-channel.js";

/** Reports a hook that has thrown where its result does not matter. */
export type HookFailed = (hook: string, error: unknown) => void;

/**
 * Calls a hook that answers `true` or `false`.
 *
 * @throws {HookError} in place of whatever the hook throws, and for any other answer
 */
export function allowedBy(hook: string, call: () => MaybePromise<boolean>): boolean | Promise<boolean> {
  return answerOf(hook, call, "true or false", (value) => typeof value === "boolean");
}

/**
 * Calls a hook whose answers are of one kind.
 *
 * @param wanted what an answer has to be
 * @throws {HookError} in place of whatever the hook throws, and for any other answer
 */
export function answerOf<Answer>(
  hook: string,
  call: () => MaybePromise<Answer>,
  wanted: string,
  isAnswer: (value: unknown) => boolean,
): Answer | Promise<Answer> {
  const answer = callHook(hook, call);
  const check = (value: Answer) => {
    if (isAnswer(value)) return value;
    throw wrongAnswer(hook, wanted, value);
  };
  return answer instanceof Promise ? answer.then(check) : check(answer);
}

/**
 * The error for an answer that a hook must not give.
 *
 * @param wanted what the answer has to be
 */
export function wrongAnswer(hook: string, wanted: string, answer: unknown): HookError {
  if (isOfAnotherCopy(answer, Grant)) {
    return new HookError(hook, new TypeError(`the answer of ${hook} is a Grant, and ${OF_ANOTHER_COPY}`));
  }
  // A text may be a secret.
  const given = typeof answer === "number" || typeof answer === "boolean" ? String(answer) : kindOf(answer);
  return new HookError(hook, new TypeError(`the answer of ${hook} has to be ${wanted}, and is ${given}`));
}

/**
 * Calls a hook that starts a program. It may leave out its answer when it has ended the program's output.
 *
 * @throws {HookError} as `allowedBy` does
 */
export function startedBy(
  channel: SessionChannel,
  hook: string,
  call: () => MaybePromise<ProgramDecision>,
): boolean | Promise<boolean> {
  // `allowedBy` refuses what is not a boolean.
  const complete = (answer: ProgramDecision) =>
    (answer === undefined && channel.writableEnded ? true : answer) as boolean;
  return allowedBy(hook, () => {
    const answer = call();
    return answer instanceof Promise ? answer.then(complete) : complete(answer);
  });
}

/** Calls a hook that decides nothing. */
export async function notify(hook: string, hookFailed: HookFailed, call: () => MaybePromise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    hookFailed(hook, error);
  }
}
