import type { PKey } from "../crypto/pkey/pkey.js";
import { AUTH_PARTIAL } from "../protocol/constants.js";
import type { SecurityKeyProof } from "./authenticator.js";
import { Grant } from "./grant.js";
import type { Permissions } from "./permissions.js";

/** The result of one authentication request. */
export type Attempt =
  | {
      readonly kind: "proven";
      readonly completeness: "full" | "partial";
      /** The permissions that come with the proof. */
      readonly permissions: Permissions;
      /** The data that come with the decision, if any. */
      readonly data: unknown;
      /** The key whose signature was verified, where the method uses one. */
      readonly publicKey?: PKey;
      /** That key's statements, where it is a FIDO key. */
      readonly securityKey?: SecurityKeyProof;
    }
  /** Not decided yet: the method's own message goes back. */
  | { readonly kind: "continue"; readonly reply: Buffer }
  | {
      readonly kind: "refused";
      /** For the log. */
      readonly reason: string;
      /** The key that the client has asked about or signed with: nothing is proven of it. */
      readonly offeredKey?: PKey;
    }
  /** The client has given it up: no answer is due. */
  | { readonly kind: "abandoned" };

/**
 * Reads what a hook returned: only exactly `AUTH_SUCCESSFUL`, `AUTH_PARTIAL` and a `Grant` prove anything.
 *
 * @param reason of a refusal, for the log
 */
export function attemptFrom(decision: unknown, reason = "the server's hook has refused the request"): Attempt {
  const grant = Grant.from(decision);
  return grant === undefined ? refused(reason) : proven(grant);
}

export function proven({ result, permissions, data }: Grant): Extract<Attempt, { kind: "proven" }> {
  return { kind: "proven", completeness: result === AUTH_PARTIAL ? "partial" : "full", permissions, data };
}

export function refused(reason: string, offeredKey?: PKey): Extract<Attempt, { kind: "refused" }> {
  return { kind: "refused", reason, ...(offeredKey && { offeredKey }) };
}
