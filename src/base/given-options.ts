import { checkObject } from "./option-checks.js";

/** Options as the last parameter, which may be left out, but must not be `undefined`. */
export type GivenOptions<Options extends object> = readonly [] | readonly [options: Options];

/**
 * The options of a call. Ones that were looked up and not found, for a user say, must not mean the defaults.
 *
 * @throws {ConfigurationError} when they are not an object
 */
export function givenOptions<Options extends object>(given: GivenOptions<Options>): Partial<Options> {
  return given.length === 0 ? {} : checkObject("options", given[0]);
}
