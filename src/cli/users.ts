import { userInfo } from "node:os";
import type { Logger } from "pino";
import type { PublicKeyHook } from "../authenticators/authorized-keys/authorized-keys.js";
import type { RevokedKeys } from "../authenticators/revoked-keys.js";
import { AUTH_FAILED } from "../protocol/constants.js";
import { StartError } from "./errors.js";
import { HashedPasswords, readPasswordFile } from "./password-file.js";
import { loadRevokedKeys } from "./revoked-keys.js";
import { randomPassword, sameSecret } from "./secret.js";
import type { ServeOptions } from "./serve-options.js";
import type { RefusedLine } from "./user-file.js";
import { loadUserKeys } from "./user-keys.js";

/** Passwords, however they are kept. */
export interface Passwords {
  /** @param signal fires when nobody waits for the answer any more */
  matches(name: string, password: string, signal?: AbortSignal): boolean | Promise<boolean>;
}

export interface UsersOptions {
  readonly passwords?: Passwords;
  readonly keys?: PublicKeyHook;
  readonly revoked?: RevokedKeys;
}

/** Who may log in. Each of the ways that are there is enough, and the same ones are offered to every name. */
export class Users {
  readonly #passwords: Passwords | undefined;
  /** Decides about public keys and certificates. */
  readonly checkKey: PublicKeyHook;
  readonly isRevoked: RevokedKeys;
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

  async hasPassword(name: string, password: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.#passwords?.matches(name, password, signal)) === true;
  }
}

export interface LoadedUsers {
  readonly users: Users;
  /** One who may log in. */
  readonly example: string;
  /** Of `example`, if it was made just now. */
  readonly password?: string;
}

/**
 * The users that the command line names: those of a password file, one with keys or certificates, or else one with a random
 * password.
 *
 * @throws {StartError} when a file cannot be used
 */
export async function loadUsers(options: ServeOptions, logger: Logger): Promise<LoadedUsers> {
  const user = options.user ?? userInfo().username;
  const hashes = options.passwordFile === undefined ? undefined : await loadHashes(options.passwordFile, logger);
  const keys = await loadUserKeys(user, options, logger);
  if (hashes === undefined && keys === undefined) {
    const password = randomPassword();
    return { users: new Users({ passwords: onePassword(user, password) }), example: user, password };
  }
  const [first = user] = hashes?.keys() ?? [];
  const users = new Users({
    ...(hashes && { passwords: new HashedPasswords(hashes) }),
    ...(keys && { keys }),
    ...(options.revokedKeys !== undefined && { revoked: await loadRevokedKeys(options.revokedKeys, logger) }),
  });
  return { users, example: first };
}

function onePassword(user: string, secret: string): Passwords {
  return {
    matches(name, password) {
      const passwordIsRight = sameSecret(password, secret);
      return name === user && passwordIsRight;
    },
  };
}

async function loadHashes(path: string, logger: Logger) {
  const { hashes, refused } = await readPasswordFile(path);
  warn("user refused", path, refused, logger);
  if (hashes.size === 0) throw new StartError(`${path} holds no user who could log in`);
  return hashes;
}

function warn(message: string, path: string, refused: readonly RefusedLine[], logger: Logger): void {
  for (const { line, reason } of refused) logger.warn({ path, line, reason }, message);
}
