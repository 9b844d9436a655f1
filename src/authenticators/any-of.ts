import { type AuthDecision, Grant } from "../auth/grant.js";
import { isOfAnotherCopy, OF_ANOTHER_COPY } from "../base/another-copy.js";
import { ConfigurationError } from "../base/configuration-error.js";
import { AUTH_FAILED } from "../protocol/constants.js";

/** What `anyOf` makes: one hook. */
export interface AnyOf<Parameters extends readonly unknown[]> {
  /** Asks the hooks, one after the other, with these parameters. Rejects with what one of them throws. */
  (...parameters: Parameters): Promise<AuthDecision>;
  /**
   * Reads the sources of the hooks that can be read now (`authorizedKeys`, `trustedUserCAs`, …), to fail at the start of the
   * server rather than at the first login.
   *
   * @throws what their `load` throws
   */
  load(): Promise<void>;
}

/**
 * One hook out of several: they are asked in order, and the first that lets the user in decides. When one throws,
 * nobody is let in and the rest is not asked. Where nobody lets the user in, and one has given something that is not a
 * decision, the returned hook throws a TypeError, so that the log tells.
 *
 * @throws {ConfigurationError} when one of them is not a function
 */
export function anyOf<Parameters extends readonly unknown[]>(
  ...hooks: readonly ((...parameters: Parameters) => AuthDecision | Promise<AuthDecision>)[]
): AnyOf<Parameters> {
  if (hooks.some((hook) => typeof hook !== "function")) {
    throw new ConfigurationError(
      "anyOf",
      "takes functions, such as those that authorizedKeys and trustedUserCAs return",
    );
  }
  const ask = async (...parameters: Parameters) => {
    let odd = 0;
    let ofAnotherCopy = "";
    for (const hook of hooks) {
      const decision = await hook(...parameters);
      if (Grant.from(decision) !== undefined) return decision;
      if (decision !== AUTH_FAILED) odd++;
      if (isOfAnotherCopy(decision, Grant)) ofAnotherCopy = `: a Grant ${OF_ANOTHER_COPY}`;
    }
    // Nobody is let in by it, and the log has to tell.
    if (odd > 0)
      throw new TypeError(`${odd} of ${hooks.length} hooks gave something that is not a decision${ofAnotherCopy}`);
    return AUTH_FAILED;
  };
  const load = async (start?: object) => {
    for (const hook of hooks) {
      if ("load" in hook && typeof hook.load === "function") await hook.load(start);
    }
  };
  return Object.assign(ask, { load });
}
