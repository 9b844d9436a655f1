import { checkChoice, checkInteger } from "../../base/option-checks.js";
import type { TotpAlgorithm, TotpParameters } from "./one-time-code.js";

/** Options that app and server have to agree on. */
export interface TotpCodeOptions {
  /** Default `sha1`; few apps know another. */
  readonly algorithm?: TotpAlgorithm;
  /** The digits of a code, 6 to 8. Default 6. */
  readonly digits?: number;
  /** The time that a code is shown, 15 to 120 seconds. Default 30. */
  readonly period?: number;
}

/** @throws {ConfigurationError} naming the option that cannot be used */
export function resolveTotpParameters({
  algorithm = "sha1",
  digits = 6,
  period = 30,
}: TotpCodeOptions): TotpParameters {
  return {
    algorithm: checkChoice("algorithm", algorithm, ["sha1", "sha256", "sha512"]),
    digits: checkInteger("digits", digits, 6, 8),
    period: checkInteger("period", period, 15, 120),
  };
}
