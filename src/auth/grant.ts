import { isOfAnotherCopy, OF_ANOTHER_COPY } from "../base/another-copy.js";
import { ConfigurationError } from "../base/configuration-error.js";
import { checkChoice, checkNotUndefined, checkOptions } from "../base/option-checks.js";
import { PKey } from "../crypto/pkey/pkey.js";
import { AUTH_PARTIAL, AUTH_SUCCESSFUL, type AuthResult } from "../protocol/constants.js";
import { completePermissions, intersectPermissions, type Permissions } from "./permissions.js";

/** Options of `Grant`. */
export interface GrantOptions<Data = unknown> {
  /** Default AUTH_SUCCESSFUL. */
  readonly result?: typeof AUTH_SUCCESSFUL | typeof AUTH_PARTIAL;
  /** The permissions of the user; one that is left out is not restricted. */
  readonly permissions?: Partial<Permissions>;
  /** For a certificate: the authority that is trusted to certify this user. */
  readonly authority?: PKey;
  /** Whether a FIDO key has to be touched for the login (no-touch-required in sshd(8)). Default "required". */
  readonly touch?: "required" | "optional";
  /**
   * Whether a FIDO key has to verify its user, by PIN for instance (verify-required in sshd(8)). Default "optional".
   */
  readonly verification?: "required" | "optional";
  /** Whatever belongs to the user: `connection.identity.data` after the login. The library does not look at it. */
  readonly data?: Data;
}

/**
 * A decision of an authentication hook that lets a user in on conditions, or with data of the program: AUTH_SUCCESSFUL or
 * AUTH_PARTIAL with permissions. A certificate is let in only by a Grant, which names its authority.
 */
export class Grant<Data = unknown> {
  /** Whether the user is let in by it, or has one factor of several. */
  readonly result: typeof AUTH_SUCCESSFUL | typeof AUTH_PARTIAL;
  /** What the user may do; what was left out of the options is not restricted. */
  readonly permissions: Permissions;
  /** For a certificate: the authority that is trusted to certify this user. */
  readonly authority: PKey | undefined;
  /** Whether a FIDO key has to be touched for the login. */
  readonly touch: "required" | "optional";
  /** Whether a FIDO key has to verify its user, by PIN for instance. */
  readonly verification: "required" | "optional";
  /** Whatever belongs to the user: `connection.identity.data` after the login. */
  readonly data: Data | undefined;

  /** @throws {ConfigurationError} when an option does not exist, or has a value that it must not have */
  constructor(options: GrantOptions<Data> = {}) {
    checkOptions(options, ["result", "permissions", "authority", "touch", "verification", "data"]);
    checkNotUndefined(options, ["permissions", "verification"]);
    const { result, permissions = {}, authority, touch, verification, data } = options;
    this.result = checkChoice("result", result ?? AUTH_SUCCESSFUL, [AUTH_SUCCESSFUL, AUTH_PARTIAL]);
    this.permissions = completePermissions(permissions);
    if (authority !== undefined && !(authority instanceof PKey)) {
      throw new ConfigurationError("authority", isOfAnotherCopy(authority, PKey) ? OF_ANOTHER_COPY : "must be a PKey");
    }
    this.authority = authority;
    this.touch = checkChoice("touch", touch ?? "required", ["required", "optional"]);
    this.verification = checkChoice("verification", verification ?? "optional", ["required", "optional"]);
    this.data = data;
    Object.freeze(this);
  }

  /**
   * A grant with less permissions: for a hook that adds something to the decision of another, such as `authorizedKeys`.
   *
   * @param permissions what is permitted at most; one that is left out is not restricted further
   * @throws {ConfigurationError} when a permission does not exist, has a value that it must not have, or forces another
   *   command than this grant does
   */
  restrict(permissions: Partial<Permissions>): Grant<Data> {
    const both = intersectPermissions(this.permissions, completePermissions(permissions));
    if (both === undefined) throw new ConfigurationError("permissions.forceCommand", "is not the one of the grant");
    return new Grant({ ...this.#options, permissions: both });
  }

  /** The same grant with data of the program: for a hook that adds them to the decision of another. */
  withData<Added>(data: Added): Grant<Added> {
    return new Grant<Added>({ ...this.#options, data });
  }

  get #options(): GrantOptions<Data> {
    const { result, permissions, authority, touch, verification, data } = this;
    return {
      result,
      permissions,
      ...(authority && { authority }),
      touch,
      verification,
      ...(data !== undefined && { data }),
    };
  }

  /** Reads what a hook returned: only exactly AUTH_SUCCESSFUL, AUTH_PARTIAL and a Grant let anyone in. */
  static from(decision: unknown): Grant | undefined {
    if (decision instanceof Grant) return decision;
    if (decision === AUTH_SUCCESSFUL) return FULL;
    return decision === AUTH_PARTIAL ? PARTIAL : undefined;
  }
}

/** The result of an authentication hook. */
export type AuthDecision<Data = unknown> = AuthResult | Grant<Data>;

const FULL = new Grant();
const PARTIAL = new Grant({ result: AUTH_PARTIAL });
