import { ConfigurationError } from "../base/configuration-error.js";
import { isError } from "../base/is-error.js";
import { systemErrorCode } from "../base/system-error-code.js";
import { type Check, fields, optional, text } from "./calls/message-checks.js";

const MAX_TEXT = 10_000;

/** An error on its way to another process: what the user of the program has to know of it. */
export interface Problem {
  readonly message: string;
  /** Of a ConfigurationError. */
  readonly option: string | undefined;
  /** Of the system's error, or of its cause. */
  readonly code: string | undefined;
  readonly stack: string | undefined;
}

const short = text(MAX_TEXT);

export const problem: Check<Problem> = fields({
  message: short,
  option: optional(short),
  code: optional(short),
  stack: optional(short),
});

export function problemOf(error: unknown): Problem {
  const cut = (value: string | undefined) => value?.slice(0, MAX_TEXT);
  if (!isError(error)) {
    return { message: String(error).slice(0, MAX_TEXT), option: undefined, code: undefined, stack: undefined };
  }
  const code = systemErrorCode(error) ?? systemErrorCode(error.cause);
  const option = error instanceof ConfigurationError ? error.option : undefined;
  return { message: error.message.slice(0, MAX_TEXT), option: cut(option), code: cut(code), stack: cut(error.stack) };
}

/** The error as it was in the other process, with the same message and the stack that it had there. */
export function errorOf({ message, option, code, stack }: Problem): Error {
  const cause = code === undefined ? undefined : Object.assign(new Error(code), { code });
  const options = cause === undefined ? {} : { cause };
  const prefix = `${option}: `;
  const error =
    option === undefined
      ? new Error(message, options)
      : new ConfigurationError(option, message.startsWith(prefix) ? message.slice(prefix.length) : message, options);
  if (stack !== undefined) error.stack = stack;
  return error;
}
