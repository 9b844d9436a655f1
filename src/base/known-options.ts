import { ConfigurationError } from "./configuration-error.js";

/**
 * Checks that options have no name but these: one that is misspelled would be left out, and what it was to forbid be
 * allowed.
 *
 * @throws {ConfigurationError} naming the one that does not exist
 */
export function checkKnownOptions<Options extends object>(
  options: Options,
  names: readonly (keyof Options & string)[],
): void {
  const known: readonly string[] = names;
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new ConfigurationError(unknown, `is not an option; there are ${names.join(", ")}`);
}
