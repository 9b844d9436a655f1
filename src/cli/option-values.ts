import { type ParseArgsConfig, parseArgs } from "node:util";
import { describeError, UsageError } from "./errors.js";

/**
 * Reads the arguments of a command.
 *
 * @param lists the names of the options whose values are lists with commas
 * @throws {UsageError} with a hint where help is to be found, or for an option that is given twice and is not `multiple`
 */
export function readArguments<T extends ParseArgsConfig>(
  command: string,
  config: T,
  lists: readonly (keyof NonNullable<T["options"]>)[] = [],
): ReturnType<typeof parseArgs<T>> {
  try {
    refuseRepeated(config, lists);
    return parseArgs(config);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const [sentence = ""] = describeError(error).split(". ");
    const [, unknown] = /^Unknown option '--(.+)'$/.exec(sentence) ?? [];
    const meant = unknown === undefined ? undefined : nearestOption(unknown, Object.keys(config.options ?? {}));
    const guess = meant === undefined ? "" : `did you mean --${meant}? `;
    throw new UsageError(`${sentence} (${guess}see spindlex ${command} --help)`);
  }
}

/** The option that differs in one place, by at most two letters and half of the name. */
function nearestOption(unknown: string, options: readonly string[]): string | undefined {
  const near = options.map((option) => ({ option, letters: differingLetters(unknown, option) }));
  const [nearest] = near.toSorted((one, other) => one.letters - other.letters);
  if (nearest === undefined || nearest.letters > 2 || nearest.letters * 2 > unknown.length) return undefined;
  return nearest.option;
}

/** The letters of the longer one that are left between what both begin with and what both end with. */
function differingLetters(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  let start = 0;
  while (start < length && one[start] === other[start]) start++;
  let end = 0;
  while (end < length - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  return Math.max(one.length, other.length) - start - end;
}

/** `parseArgs` keeps the last value: a network of a first --deny-from would be let in. */
function refuseRepeated(config: ParseArgsConfig, lists: readonly PropertyKey[]): void {
  const given = new Set<string>();
  for (const token of parseArgs({ ...config, tokens: true }).tokens) {
    if (token.kind !== "option") continue;
    const declared = config.options?.[token.name];
    if (declared?.multiple || declared?.type === "boolean") continue;
    if (given.has(token.name)) {
      const hint = lists.includes(token.name) ? ": write its values with commas" : "";
      throw new UsageError(`${token.rawName} was given twice${hint}`);
    }
    given.add(token.name);
  }
}

/** @throws {UsageError} when it is empty or holds a control character */
export function parseText(option: string, text: string): string {
  if (text === "") throw new UsageError(`${option} is empty`);
  if (/\p{Cc}/u.test(text)) throw new UsageError(`${option} holds a control character`);
  return text;
}

/**
 * Reads the elements of a list with commas.
 *
 * @param parse gets what an error calls the element, and its text, which is neither empty nor has control characters
 * @throws {UsageError}
 */
export function parseElements<T>(
  option: string,
  text: string,
  parse: (name: string, element: string) => T,
): readonly T[] {
  const elements = text.split(",");
  const name = elements.length > 1 ? `an element of ${option}` : option;
  return elements.map((element) => parse(name, parseText(name, element.trim())));
}

/** @throws {UsageError} when it is not one of the choices */
export function parseChoice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((name) => name === text);
  if (choice === undefined) throw new UsageError(`${option} is '${text}', not one of ${choices.join(", ")}`);
  return choice;
}
