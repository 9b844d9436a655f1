import { type AuthDecision, Grant } from "../auth/grant.js";
import { ConfigurationError } from "../base/configuration-error.js";
import { AUTH_FAILED } from "../protocol/constants.js";

/**
 * One hook out of several: they are asked in order, and the first that lets the user in decides. When one throws,
 * nobody is let in and the rest is not asked.
 *
 * @throws {ConfigurationError} when one of them is not a function
 */
export function anyOf<Parameters extends readonly unknown[]>(
  ...hooks: readonly ((...parameters: Parameters) => AuthDecision | Promise<AuthDecision>)[]
): (...parameters: Parameters) => Promise<AuthDecision> {
  if (hooks.some((hook) => typeof hook !== "function")) {
    throw new ConfigurationError(
      "anyOf",
      "takes functions, such as those that authorizedKeys and trustedUserCAs return",
    );
  }
  return async (...parameters) => {
    let refusal: AuthDecision = AUTH_FAILED;
    for (const hook of hooks) {
      const decision = await hook(...parameters);
      if (Grant.from(decision) !== undefined) return decision;
      // What is not a decision refuses as well, and the server has to tell: it is passed on.
      if (decision !== AUTH_FAILED) refusal = decision;
    }
    return refusal;
  };
}
