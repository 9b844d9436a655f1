import type { PKey } from "../crypto/keys/pkey.js";
import { AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../protocol/constants.js";

/** What one authentication request has come to. */
export type Attempt =
  | {
      readonly kind: "proven";
      readonly completeness: "full" | "partial";
      /** The key whose signature was verified, where the method uses one. */
      readonly publicKey?: PKey;
    }
  /** Not decided yet: the method's own message goes back. */
  | { readonly kind: "continue"; readonly reply: Buffer }
  /** `reason` is for the log. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The client has given it up: no answer is due. */
  | { readonly kind: "abandoned" };

/** Reads what a hook returned: only exactly `AUTH_SUCCESSFUL` and `AUTH_PARTIAL` prove anything. */
export function attemptFrom(result: unknown, publicKey?: PKey): Attempt {
  const key = publicKey === undefined ? {} : { publicKey };
  if (result === AUTH_SUCCESSFUL) return { kind: "proven", completeness: "full", ...key };
  if (result === AUTH_PARTIAL) return { kind: "proven", completeness: "partial", ...key };
  return { kind: "refused", reason: "refused by the server's hook" };
}

export function refused(reason: string): Extract<Attempt, { kind: "refused" }> {
  return { kind: "refused", reason };
}
