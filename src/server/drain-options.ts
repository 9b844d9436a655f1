import { checkLimit, checkNumber, checkOptions, LONGEST_TIME } from "../base/option-checks.js";

/** Options of `stopListening`. */
export interface DrainOptions {
  /** Seconds after which the connections that are left are ended; `false` is never. Default 3600. */
  readonly deadline?: number | false;
}

/**
 * @returns milliseconds until the connections that are left are ended
 * @throws {ConfigurationError}
 */
export function resolveDrain(options: DrainOptions): number {
  const { deadline = 3600 } = checkOptions(options, ["deadline"]);
  return 1000 * checkLimit("deadline", deadline, 0.001, LONGEST_TIME, checkNumber);
}
