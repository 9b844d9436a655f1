import { isError } from "./is-error.js";
import { loggedPath } from "./logged-text.js";

/** Lines under a line, for the stacks of an error and of its causes together. */
const MAX_STACK_LINES = 24;

/** Causes of an error that are followed. */
const MAX_CAUSES = 4;

/** A text that needs no quotes. */
const PLAIN = /^[\w.:/@+[\]-]+$/;

const UNREADABLE = "[unreadable]";

/**
 * A line of a log for people: `time level message key=value …`, and under it, indented, the stack of the error `err`. Texts
 * are cut, and quoted and escaped where they are not plain. Never throws, whatever the fields hold.
 *
 * @param level such as `info`
 * @param fields the rest, by name
 */
export function logLine(time: Date, level: string, message: string, fields: object): string {
  const head = `${time.toISOString()} ${level} ${loggedPath(message)}`;
  const pairs = attempt(() => Object.keys(fields).flatMap((name) => pairOf(fields, name)), [UNREADABLE]);
  const stack = attempt(() => stackOf("err" in fields ? fields.err : undefined), []);
  return [[head, ...pairs].join(" "), ...stack].join("\n");
}

/** Nothing for a field that is not there; but something has thrown an error that is `undefined`. */
function pairOf(fields: object, name: string): string[] {
  const value: unknown = Reflect.get(fields, name);
  if (value === undefined && name !== "err") return [];
  return [`${name}=${attempt(() => valueText(value), UNREADABLE)}`];
}

function valueText(value: unknown): string {
  if (isError(value)) return quoted(errorText(value));
  if (typeof value === "object" && value !== null) return loggedPath(JSON.stringify(value));
  const text = String(value);
  return PLAIN.test(text) ? loggedPath(text) : quoted(text);
}

function errorText(error: Error): string {
  const code: unknown = Reflect.get(error, "code");
  const text = [error.name, error.message].filter((part) => part !== "").join(": ");
  return typeof code === "string" && !text.includes(code) ? `${text} (${code})` : text;
}

function quoted(text: string): string {
  return `"${loggedPath(text.replace(/["\\]/g, "\\$&"))}"`;
}

function stackOf(error: unknown): string[] {
  const lines: string[] = [];
  let at = error;
  for (let depth = 0; isError(at) && depth <= MAX_CAUSES; depth++) {
    if (depth > 0) lines.push(`  caused by ${quoted(errorText(at))}`);
    lines.push(...framesOf(at));
    at = at.cause;
  }
  return lines.length > MAX_STACK_LINES ? [...lines.slice(0, MAX_STACK_LINES), "    …"] : lines;
}

/**
 * Without the message, which is in the line: it may have any number of lines itself, and they may look like frames. No frames
 * where all are of Node.js, as for most errors of sockets.
 */
function framesOf({ stack, message }: Error): string[] {
  if (typeof stack !== "string") return [];
  const start = stack.includes(message) ? stack.indexOf(message) + message.length : 0;
  const frames = stack
    .slice(start)
    .split("\n")
    .filter((line) => /^ +at /.test(line));
  if (frames.every((frame) => /[ (]node:/.test(frame))) return [];
  return frames.map((frame) => `    ${loggedPath(frame.trim())}`);
}

function attempt<Result>(read: () => Result, otherwise: Result): Result {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
