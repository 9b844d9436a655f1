import type { PasswordChangeRequired, Prompt } from "../auth/authenticator.js";
import type { Connection } from "../auth/connection.js";
import type { AuthDecision } from "../auth/grant.js";
import { completePermissions, type Permissions } from "../auth/permissions.js";
import type { MethodLists } from "../auth/required-methods.js";
import { ConfigurationError } from "../base/configuration-error.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import type { PKey } from "../crypto/pkey/pkey.js";

/** Who gets in, method by method: each function does what the hook of its method does in a class. */
export interface AuthenticationOptions {
  /** As `checkAuthPublickey`: `authorizedKeys`, `trustedUserCAs`, `anyOf` of several. */
  readonly publicKey?: (username: string, key: PKey, connection: Connection) => MaybePromise<AuthDecision>;
  /** As `checkAuthPassword`: `passwordFile`. */
  readonly password?: (
    username: string,
    password: string,
    connection: Connection,
  ) => MaybePromise<AuthDecision | PasswordChangeRequired>;
  /** As `checkAuthKeyboardInteractive`: `totp`. */
  readonly keyboardInteractive?: (
    username: string,
    submethods: string,
    prompt: Prompt,
    connection: Connection,
  ) => MaybePromise<AuthDecision>;
  /** As `getRequiredAuths`: `require`. */
  readonly methods?: (username: string, connection: Connection) => MaybePromise<MethodLists | undefined>;
  /** As `checkKeyRevoked`: `revokedKeys`. */
  readonly revokedKeys?: (key: PKey, connection: Connection) => MaybePromise<boolean>;
  /** What anybody may do at most; what is left out is not restricted. */
  readonly permissions?: Partial<Permissions>;
}

const FUNCTIONS = ["publicKey", "password", "keyboardInteractive", "methods", "revokedKeys"] as const;

/** A declaration whose permissions are complete. */
export interface CheckedAuthenticationOptions extends AuthenticationOptions {
  readonly permissions: Permissions;
}

/** @throws {ConfigurationError} naming the option that cannot be used */
export function checkAuthenticationOptions(options: AuthenticationOptions): CheckedAuthenticationOptions {
  for (const name of Object.keys(options)) {
    if (name !== "permissions" && !FUNCTIONS.some((known) => known === name)) {
      throw new ConfigurationError(`authentication.${name}`, "is not an option");
    }
  }
  for (const name of FUNCTIONS) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      throw new ConfigurationError(`authentication.${name}`, "must be a function, such as the library's own give");
    }
  }
  return Object.freeze({ ...options, permissions: completePermissions(options.permissions ?? {}) });
}
