import { messageOf } from "../../base/is-error.js";
import type { Logger } from "../../base/logger.js";
import { linesOf } from "../../base/text-lines.js";
import { atOnce, type Steps } from "../../base/time-slices.js";

/** A line that is neither empty nor a comment, without the white space around it. */
export interface ContentLine {
  /** Counted from 1. */
  readonly line: number;
  readonly content: string;
}

/** A line that lets nobody in, and why. */
export interface RefusedLine {
  /** Counted from 1. */
  readonly line: number;
  readonly reason: string;
}

export interface ParsedLines<T> {
  readonly entries: readonly (T & { readonly line: number })[];
  readonly refused: readonly RefusedLine[];
  /** Whether the text was read to its end. */
  readonly isWhole: boolean;
}

/** Stands for bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd";

/** Longest line, characters: a key of RSA with 16384 bits has 2,800. */
const MAX_LINE_LENGTH = 32_768;

/** Each costs the time of an error, and a line of the log. */
const MAX_REFUSED = 1000;

/**
 * Reads a text line by line: an error of `parse` refuses that line, and no other, but after a thousand of them nothing
 * is read any more.
 *
 * @param parse throws an Error whose message may go to the log
 */
export function parseLines<T extends object>(text: string, parse: (line: ContentLine) => T): ParsedLines<T> {
  return atOnce(readLines(linesOf(text), parse));
}

/** As `parseLines`, a line a step: a text of a megabyte can take a second. */
export function* readLines<T extends object>(
  lines: Iterable<string>,
  parse: (line: ContentLine) => T,
): Steps<ParsedLines<T>> {
  const entries: (T & { readonly line: number })[] = [];
  const refused: RefusedLine[] = [];
  let line = 0;
  for (const raw of lines) {
    yield;
    line++;
    const content = raw.trim();
    if (content === "" || content.startsWith("#")) continue;
    if (refused.length === MAX_REFUSED) {
      refused.push({ line, reason: "too many lines cannot be used: it is not read further" });
      return { entries, refused, isWhole: false };
    }
    try {
      if (content.length > MAX_LINE_LENGTH) throw new Error("the line is too long");
      if (content.includes("\0")) throw new Error("the line holds a NUL");
      entries.push({ line, ...parse({ line, content }) });
    } catch (error) {
      refused.push({ line, reason: messageOf(error) });
    }
  }
  return { entries, refused, isWhole: true };
}

/** @throws {Error} when bytes of the text were not UTF-8, so that it is not the text that somebody meant */
export function requireUtf8(subject: string, text: string): void {
  if (text.includes(REPLACEMENT)) throw new Error(`${subject} not UTF-8`);
}

/**
 * @param kind the name of one line
 * @param origin the place of the lines
 */
export function logRefused(refused: readonly RefusedLine[], kind: string, origin: object, logger: Logger): void {
  for (const { line, reason } of refused) logger.warn({ ...origin, line, reason }, `${kind} refused`);
}
