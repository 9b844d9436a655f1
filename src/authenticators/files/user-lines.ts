import { messageOf } from "../../base/is-error.js";
import { linesOf } from "../../base/text-lines.js";
import { atOnce, type Steps } from "../../base/time-slices.js";
import { type RefusedLine, readLines, requireUtf8 } from "./content-lines.js";

/** The format of the text after the name of a user. */
export interface UserFormat<T> {
  /** The name of such a file in messages: `password file`. */
  readonly kind: string;
  /** The form of a line: `name:hash`. */
  readonly form: string;
  /** @throws {Error} that says why it cannot be used, and does not quote it */
  readonly parse: (value: string) => T;
  /** Whether a user with this value could log in at all. By default all could. */
  readonly isUsable?: (value: T) => boolean;
}

export interface UserLines<T> {
  /** By the name of the user. */
  readonly users: ReadonlyMap<string, T>;
  readonly refused: readonly RefusedLine[];
}

/**
 * Reads users, `name:value` a line. A line that cannot be used lets nobody in, and neither do several lines for one
 * user: nobody knows which of them was meant to count. A text with so many bad lines that it was not read to its end
 * lets in nobody at all.
 */
export function parseUserLines<T>(text: string, format: UserFormat<T>): UserLines<T> {
  return atOnce(readUserLines(linesOf(text), format));
}

/** As `parseUserLines`, a line a step: there may be very many. */
export function* readUserLines<T>(lines: Iterable<string>, { form, parse }: UserFormat<T>): Steps<UserLines<T>> {
  const {
    entries,
    refused: malformed,
    isWhole,
  } = yield* readLines(lines, ({ content }) => {
    const [, name, value] = /^([^:\p{Cc}]+):(.+)$/u.exec(content) ?? [];
    if (name === undefined || value === undefined) throw new Error(`it is not ${form}`);
    requireUtf8("the name is", name);
    return { name, value };
  });
  const lineCounts = new Map<string, number>();
  for (const { name } of entries) {
    yield;
    lineCounts.set(name, (lineCounts.get(name) ?? 0) + 1);
  }
  const users = new Map<string, T>();
  const refused = [...malformed];
  // A line that was not read may have been another for any of the users.
  for (const { line, name, value } of isWhole ? entries : []) {
    yield;
    try {
      if (lineCounts.get(name) !== 1) throw new Error("there is another line for this user");
      users.set(name, parse(value));
    } catch (error) {
      refused.push({ line, reason: messageOf(error) });
    }
  }
  return { users, refused: refused.sort((one, other) => one.line - other.line) };
}
