import { type ParseArgsConfig, parseArgs } from "node:util";
import { describeError, UsageError } from "./errors.js";

/**
 * Reads the arguments of a command.
 *
 * @throws {UsageError} with a hint where help is to be found
 */
export function readArguments<T extends ParseArgsConfig>(command: string, config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const [sentence] = describeError(error).split(". ");
    throw new UsageError(`${sentence} (see spindlex ${command} --help)`);
  }
}

/** @throws {UsageError} when it is empty or holds a control character */
export function parseText(option: string, text: string): string {
  if (text === "") throw new UsageError(`${option} is empty`);
  if (/\p{Cc}/u.test(text)) throw new UsageError(`${option} holds a control character`);
  return text;
}

/** @throws {UsageError} when it is not one of the choices */
export function parseChoice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((name) => name === text);
  if (choice === undefined) throw new UsageError(`${option} is '${text}', not one of ${choices.join(", ")}`);
  return choice;
}
