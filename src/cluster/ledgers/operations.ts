import type { CodeAttempt, CodeVerdict } from "../../base/shared-ledgers.js";
import { fields, finite, flag, integer, nothing, optional, text } from "../calls/message-checks.js";
import type { Notice, Operation } from "../calls/operation.js";

// What workers ask the primary of the ledgers that it keeps for all of them.

export const ATTEMPT_CODE: Operation<CodeAttempt, CodeVerdict> = {
  name: "ledgers.codes.attempt",
  request: fields({ key: optional(text(1000)), step: optional(integer(0)), until: finite, now: finite }),
  answer: fields({ isAccepted: flag, pause: finite }),
};

/** @returns whether the check may be run */
export const TAKE_TURN: Operation<{ readonly remoteAddress: string | undefined }, boolean> = {
  name: "ledgers.passwordChecks.take",
  request: fields({ remoteAddress: optional(text(1000)) }),
  answer: flag,
};

export const END_TURN: Notice<undefined> = { name: "ledgers.passwordChecks.end", value: nothing };

export const AGREE_TEXT: Operation<
  { readonly name: string; readonly proposal: string | undefined },
  string | undefined
> = {
  name: "ledgers.texts.agree",
  request: fields({ name: text(200), proposal: optional(text(1000)) }),
  answer: optional(text(1000)),
};
