import { userInfo } from "node:os";
import type { PasswordCheck, PublicKeyHook, RevokedKeys } from "../../authenticators/index.js";
import type { PKey } from "../../crypto/index.js";
import { passwordFile, revokedKeys } from "../../index.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL, type AuthResult } from "../../protocol/constants.js";
import type { Log } from "./log.js";
import { randomPassword, sameSecret } from "./secret.js";
import type { ServeOptions } from "./serve-options.js";
import { loadUserKeys } from "./user-keys.js";

/** Passwords, however they are kept: a body for `checkAuthPassword`. */
export type CheckPassword = (...parameters: Parameters<PasswordCheck>) => Promise<AuthResult>;

type IsRevoked = (key: PKey) => Promise<boolean>;

export interface UsersOptions {
  readonly passwords?: CheckPassword;
  readonly keys?: PublicKeyHook;
  readonly revoked?: IsRevoked;
}

/** The users who may log in. Each of their proofs is enough, and the same methods are offered to every name. */
export class Users {
  readonly #passwords: CheckPassword | undefined;
  /** Decides about public keys and certificates. */
  readonly checkKey: PublicKeyHook;
  readonly isRevoked: IsRevoked;
  readonly #hasKeys: boolean;

  constructor({ passwords, keys, revoked }: UsersOptions) {
    this.#passwords = passwords;
    this.#hasKeys = keys !== undefined;
    this.checkKey = keys ?? (async () => AUTH_FAILED);
    this.isRevoked = revoked ?? (async () => false);
  }

  /** As SSH calls them. */
  get methods(): string[] {
    return [...(this.#hasKeys ? ["publickey"] : []), ...(this.#passwords ? ["password"] : [])];
  }

  async checkPassword(...parameters: Parameters<CheckPassword>): Promise<AuthResult> {
    return this.#passwords === undefined ? AUTH_FAILED : this.#passwords(...parameters);
  }
}

export interface LoadedUsers {
  readonly users: Users;
  /** One of the users. */
  readonly example: string;
  /** The users who could log in at the start. */
  readonly names: readonly string[];
  /** The password of `example`, if it was made just now. */
  readonly password?: string;
  /** Reads the files again, which each login does when they have changed. @throws {UserFileError} as `loadUsers` */
  load(): Promise<void>;
}

/**
 * The users that the command line names: those of a password file, one with keys or certificates, or else one with a
 * random password.
 *
 * @param password in place of a random one
 * @throws {UserFileError} when a file cannot be used: nobody could log in
 */
export async function loadUsers(options: ServeOptions, logger: Log, password = randomPassword()): Promise<LoadedUsers> {
  const user = options.user ?? userInfo().username;
  const passwords = options.passwordFile === undefined ? undefined : await openPasswords(options.passwordFile, logger);
  const keys = await loadUserKeys(user, options, logger);
  if (passwords === undefined && keys === undefined) {
    const users = new Users({ passwords: onePassword(user, password) });
    return { users, example: user, names: [user], password, load: async () => {} };
  }
  const revoked = options.revokedKeys === undefined ? undefined : await openRevokedKeys(options.revokedKeys, logger);
  const users = new Users({
    ...(passwords && { passwords: passwords.check }),
    ...(keys && { keys: keys.hook }),
    ...(revoked && { revoked }),
  });
  const load = async () => {
    for (const file of [passwords?.check, keys, revoked]) await file?.load();
  };
  const names = [...(passwords?.names ?? []), ...(keys ? [user] : [])];
  return { users, example: passwords?.names[0] ?? user, names, load };
}

function onePassword(user: string, secret: string): CheckPassword {
  return async (name, password) => {
    const passwordIsRight = sameSecret(password, secret);
    return name === user && passwordIsRight ? AUTH_SUCCESSFUL : AUTH_FAILED;
  };
}

async function openPasswords(path: string, logger: Log) {
  const check = passwordFile({ file: path }, { logger });
  return { check, names: await check.load() };
}

async function openRevokedKeys(path: string, logger: Log): Promise<RevokedKeys> {
  const isRevoked = revokedKeys({ file: path }, { logger });
  await isRevoked.load();
  return isRevoked;
}
