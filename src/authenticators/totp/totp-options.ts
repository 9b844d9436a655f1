import { ConfigurationError } from "../../base/configuration-error.js";
import type { TotpAlgorithm, TotpParameters } from "./one-time-code.js";

/** Options that app and server have to agree on. */
export interface TotpCodeOptions {
  /** Default `sha1`; few apps know another. */
  readonly algorithm?: TotpAlgorithm;
  /** Of a code, 6 to 8. Default 6. */
  readonly digits?: number;
  /** How long a code is shown, 15 to 120 seconds. Default 30. */
  readonly period?: number;
}

/** @throws {ConfigurationError} naming the option that cannot be used */
export function resolveTotpParameters({
  algorithm = "sha1",
  digits = 6,
  period = 30,
}: TotpCodeOptions): TotpParameters {
  if (!["sha1", "sha256", "sha512"].includes(algorithm)) {
    throw new ConfigurationError("algorithm", `must be sha1, sha256 or sha512, not ${String(algorithm)}`);
  }
  return {
    algorithm,
    digits: requireInteger("digits", digits, 6, 8),
    period: requireInteger("period", period, 15, 120),
  };
}

/** @throws {ConfigurationError} */
export function requireInteger(option: string, value: number, minimum: number, maximum: number): number {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new ConfigurationError(option, `must be a whole number from ${minimum} to ${maximum}, not ${String(value)}`);
}
