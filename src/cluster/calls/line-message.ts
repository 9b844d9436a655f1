import { type Check, fields, integer, MalformedMessageError, text } from "./message-checks.js";

/** What goes through the channel. The number of a call is its own in each direction. */
export type LineMessage =
  | { readonly spindlex: "call"; readonly id: number; readonly name: string; readonly value: unknown }
  | { readonly spindlex: "cancel"; readonly id: number }
  | { readonly spindlex: "answer"; readonly id: number; readonly value: unknown }
  | { readonly spindlex: "failure"; readonly id: number; readonly message: string }
  | { readonly spindlex: "notice"; readonly name: string; readonly value: unknown };

const MAX_NAME_LENGTH = 100;
export const MAX_FAILURE_LENGTH = 1000;

const anything: Check<unknown> = (value) => value;
const id = integer(1);
const name = text(MAX_NAME_LENGTH);

const CHECKS: Readonly<Record<string, Check<object>>> = {
  call: fields({ id, name, value: anything }),
  cancel: fields({ id }),
  answer: fields({ id, value: anything }),
  failure: fields({ id, message: text(MAX_FAILURE_LENGTH) }),
  notice: fields({ name, value: anything }),
};

/**
 * @returns `undefined` for a message that is not ours: other parts of the program may use the channel, too
 * @throws {MalformedMessageError} for one of ours that is not what it should be
 */
export function readLineMessage(message: unknown): LineMessage | undefined {
  if (typeof message !== "object" || message === null || !("spindlex" in message)) return undefined;
  const { spindlex: kind } = message;
  const check = typeof kind === "string" && Object.hasOwn(CHECKS, kind) ? CHECKS[kind] : undefined;
  if (check === undefined) throw new MalformedMessageError("no kind of message that is known");
  return { spindlex: kind, ...check(message) } as LineMessage;
}
