import { ConfigurationError } from "./configuration-error.js";
import { nearestName } from "./similar-names.js";

/** Longest wait a Node.js timer can do, seconds. */
export const LONGEST_TIME = 2 ** 31 / 1000 - 1;

/** The name of the options themselves in an error, if they are not part of others. */
const OPTIONS = "options";

type NameOf<Options> = Options extends unknown ? keyof Options & string : never;

/**
 * Checks that options are an object that has no name but these: one that is misspelled would be left out, and would
 * forbid nothing. An option must not be `null` either, which could be taken for its default.
 *
 * @param option the name of the object if it is an option itself: `maxStartups`
 * @returns a copy, with the properties that a class has in its prototype
 * @throws {ConfigurationError} naming the option that does not exist
 */
export function checkOptions<Options extends object>(
  options: Options,
  names: readonly NameOf<Options>[],
  option?: string,
): Options {
  checkObject(option ?? OPTIONS, options, ` with ${names.join(", ")}`);
  const known: readonly string[] = names;
  const fullName = (name: string) => (option === undefined ? name : `${option}.${name}`);
  // Properties of a prototype that is not a class's count as well.
  for (const name in options) {
    if (!known.includes(name)) throw unknownName(fullName(name), name, known);
  }
  const given = names.filter((name) => name in options).map((name) => [name, options[name as keyof Options]] as const);
  for (const [name, value] of given) {
    if (value === null) throw new ConfigurationError(fullName(name), "must not be null: leave it out instead");
  }
  return Object.fromEntries(given) as Options;
}

/**
 * Checks options without which more is allowed: one that was looked up and not found, for a user say, must not allow it.
 *
 * @param option as in `checkOptions`
 * @returns the options
 * @throws {ConfigurationError} naming the one that is `undefined`
 */
export function checkNotUndefined<Options extends object>(
  options: Options,
  names: readonly NameOf<Options>[],
  option?: string,
): Options {
  for (const name of names) {
    if (!(name in options) || options[name as keyof Options] !== undefined) continue;
    const fullName = option === undefined ? name : `${option}.${name}`;
    throw new ConfigurationError(fullName, "must not be undefined, which allows more: leave it out if that is meant");
  }
  return options;
}

function unknownName(option: string, name: string, known: readonly string[]): ConfigurationError {
  const meant = nearestName(name, known);
  // In front of the names, which may be dozens.
  const guess = meant === undefined ? "" : ` (did you mean ${meant}?)`;
  return new ConfigurationError(option, `is not an option${guess}; there are ${known.join(", ")}`);
}

/**
 * @param contents the contents of the object, for the error
 * @throws {ConfigurationError} when the value is not an object, or a list
 */
export function checkObject<Value extends object>(option: string, value: Value, contents = ""): Value {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw wrongKind(option, `an object${contents}`, value);
}

/** @throws {ConfigurationError} naming the method that the object does not have */
export function checkMethods<Value extends object>(
  option: string,
  value: Value,
  methods: readonly (keyof Value & string)[],
): Value {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) {
    throw wrongKind(option, `an object with the methods ${methods.join(", ")}`, value);
  }
  const missing = methods.find((name) => typeof value[name] !== "function");
  if (missing !== undefined) throw new ConfigurationError(option, `has no method ${missing}`);
  return value;
}

/** @throws {ConfigurationError} when the value is not a function */
export function checkFunction<Value>(option: string, value: Value): Value {
  if (typeof value === "function") return value;
  throw wrongKind(option, "a function", value);
}

/**
 * @param what it has to be, for the error
 * @throws {ConfigurationError} when the value is not a text; it may be a secret, and is not shown
 */
export function checkText(option: string, value: string, what = "a text"): string {
  if (typeof value === "string") return value;
  throw wrongKind(option, what, value);
}

/** @throws {ConfigurationError} when the value is neither true nor false */
export function checkFlag(option: string, value: boolean): boolean {
  if (typeof value === "boolean") return value;
  throw new ConfigurationError(option, `must be true or false, not ${shown(value)}`);
}

/** @throws {ConfigurationError} when the value is not an AbortSignal */
export function checkSignal(option: string, value: AbortSignal): AbortSignal {
  if (value instanceof AbortSignal) return value;
  throw wrongKind(option, "an AbortSignal", value);
}

/** @throws {ConfigurationError} when the value is not a number in the range */
export function checkNumber(option: string, value: number, minimum: number, maximum: number): number {
  if (typeof value === "number" && value >= minimum && value <= maximum) return value;
  throw new ConfigurationError(option, `must be a number from ${minimum} to ${maximum}, not ${shown(value)}`);
}

/** @throws {ConfigurationError} when the value is not an integer in the range */
export function checkInteger(option: string, value: number, minimum: number, maximum: number): number {
  if (Number.isInteger(checkNumber(option, value, minimum, maximum))) return value;
  throw new ConfigurationError(option, `must be an integer, not ${value}`);
}

/** A limit that may be switched off. @throws {ConfigurationError} when the value is neither `false` nor a number in the range */
export function checkLimit(
  option: string,
  value: number | false,
  minimum: number,
  maximum: number,
  check: typeof checkNumber = checkInteger,
): number {
  if (value === false) return Number.POSITIVE_INFINITY;
  if (value === 0) throw new ConfigurationError(option, "must not be 0: false is no limit");
  return check(option, value, minimum, maximum);
}

/** @throws {ConfigurationError} when the value is not one of the choices */
export function checkChoice<Choice>(option: string, value: Choice, choices: readonly Choice[]): Choice {
  if (choices.includes(value)) return value;
  throw new ConfigurationError(option, `must be one of ${choices.join(", ")}, not ${shown(value)}`);
}

function wrongKind(option: string, wanted: string, value: unknown): ConfigurationError {
  return new ConfigurationError(option, `must be ${wanted}, not ${kindOf(value)}`);
}

/** @returns the value for an error: "22" is a text, as it comes from the environment, and 22 a number. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return ["number", "boolean", "bigint"].includes(typeof value) ? String(value) : kindOf(value);
}

/** @returns what a value is, for an error; it may be a secret, and is not shown */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return "a text";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Promise) return "a promise";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
