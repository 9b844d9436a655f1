import type { PasswordChangeRequired, Prompt } from "../auth/authenticator.js";
import type { AuthDecision } from "../auth/grant.js";
import { completePermissions, type Permissions } from "../auth/permissions.js";
import type { MethodLists } from "../auth/required-methods.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { checkFunction, checkNotUndefined, checkOptions } from "../base/option-checks.js";
import type { PKey } from "../crypto/pkey/pkey.js";
import type { Connection } from "../session/connection.js";

/** Permissions for all users, or a function that gives those of a user who has proven a first factor. */
export type PermissionsOption =
  | Partial<Permissions>
  | ((username: string, connection: Connection) => MaybePromise<Partial<Permissions>>);

/** The decisions about the login, method by method: each function stands for the hook of its method in a class. `Data` is what their Grants have. */
export interface AuthenticationOptions<Data = unknown> {
  /** As `checkAuthNone`: `() => AUTH_SUCCESSFUL` lets everybody in, under any name. */
  readonly none?: (username: string, connection: Connection) => MaybePromise<AuthDecision<Data>>;
  /** As `checkAuthPublickey`: `authorizedKeys`, `trustedUserCAs`, `anyOf` of several. */
  readonly publicKey?: (
    username: string,
    key: PKey,
    connection: Connection,
    algorithm: string,
  ) => MaybePromise<AuthDecision<Data>>;
  /** As `checkAuthPassword`: `passwordFile`. */
  readonly password?: (
    username: string,
    password: string,
    connection: Connection,
  ) => MaybePromise<AuthDecision<Data> | PasswordChangeRequired>;
  /** As `checkAuthKeyboardInteractive`: `totp`. */
  readonly keyboardInteractive?: (
    username: string,
    submethods: string,
    prompt: Prompt,
    connection: Connection,
  ) => MaybePromise<AuthDecision<Data>>;
  /** As `getRequiredAuths`: `requireMethods`. */
  readonly methods?: (username: string, connection: Connection) => MaybePromise<MethodLists | undefined>;
  /** As `checkKeyRevoked`: `revokedKeys`. */
  readonly revokedKeys?: (key: PKey, connection: Connection, username: string) => MaybePromise<boolean>;
  /**
   * The most that a user may do, for all or by user; a permission that is left out is not restricted. Whatever a key, a
   * certificate or a Grant forbids is forbidden all the same. A function that throws lets nobody in.
   */
  readonly permissions?: PermissionsOption;
}

const FUNCTIONS = ["none", "publicKey", "password", "keyboardInteractive", "methods", "revokedKeys"] as const;

/** A declaration whose permissions for all users are complete. */
export interface CheckedAuthenticationOptions extends AuthenticationOptions {
  /** Permissions with all their fields, or the function that gives those of a user. */
  readonly permissions: Permissions | Extract<PermissionsOption, (...parameters: never[]) => unknown>;
}

/** @throws {ConfigurationError} naming the option that cannot be used */
export function checkAuthenticationOptions(options: AuthenticationOptions): CheckedAuthenticationOptions {
  const given = checkOptions(options, [...FUNCTIONS, "permissions"], "authentication");
  checkNotUndefined(given, ["methods", "revokedKeys", "permissions"], "authentication");
  for (const name of FUNCTIONS) {
    if (given[name] !== undefined) checkFunction(`authentication.${name}`, given[name]);
  }
  const { permissions = {} } = given;
  return Object.freeze({
    ...given,
    permissions: typeof permissions === "function" ? permissions : completePermissions(permissions, OPTION),
  });
}

/**
 * The most that a user may do.
 *
 * @throws {ConfigurationError} when the declared function gives something else than permissions
 */
export async function permissionsOf(
  { permissions }: CheckedAuthenticationOptions,
  username: string,
  connection: Connection,
): Promise<Permissions> {
  if (typeof permissions !== "function") return permissions;
  return completePermissions(await permissions(username, connection), OPTION);
}

const OPTION = "authentication.permissions";
