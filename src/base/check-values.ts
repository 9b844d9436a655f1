import { ConfigurationError } from "./configuration-error.js";

/** Longest wait a Node.js timer can do, seconds. */
export const LONGEST_TIME = 2 ** 31 / 1000 - 1;

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

/** @throws {ConfigurationError} when the value is not one of the choices */
export function checkChoice<Choice extends string>(option: string, value: Choice, choices: readonly Choice[]): Choice {
  if (choices.includes(value)) return value;
  throw new ConfigurationError(option, `must be one of ${choices.join(", ")}, not ${shown(value)}`);
}

/**
 * @param names of what the object may have in it
 * @throws {ConfigurationError} when the value is no object, or has something else in it: a limit that is misspelled is none
 */
export function checkObject<Value extends object>(
  option: string,
  value: Value,
  names: readonly (keyof Value & string)[],
): Value {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigurationError(option, `must be an object with ${names.join(", ")}, not ${shown(value)}`);
  }
  for (const name of Object.keys(value)) {
    if (!(names as readonly string[]).includes(name)) {
      throw new ConfigurationError(`${option}.${name}`, `there are only ${names.join(", ")}`);
    }
  }
  return value;
}

/** For a message: "22" is a text, as it comes from the environment, and 22 a number. */
function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
