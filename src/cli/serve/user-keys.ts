import type { PublicKeyCheck, PublicKeyHook } from "../../authenticators/index.js";
import { anyOf, authorizedKeys, trustedUserCAs } from "../../index.js";
import { AUTH_FAILED } from "../../protocol/constants.js";
import type { Log } from "./log.js";
import type { ServeOptions } from "./serve-options.js";

export interface UserKeys {
  readonly hook: PublicKeyHook;
  /** Reads the files again. @throws {UserFileError} as `loadUserKeys` */
  load(): Promise<void>;
}

/**
 * Lets one user in with the keys and certificates that the command line names; `undefined` where it names none. The files
 * are read again at each login.
 *
 * @throws {UserFileError} when a file cannot be used, or has no line that could let anybody in
 */
export async function loadUserKeys(
  user: string,
  { authorizedKeys: keys, trustedUserCAKeys: authorities }: ServeOptions,
  logger: Log,
): Promise<UserKeys | undefined> {
  const checks: PublicKeyCheck[] = [];
  // As in sshd, an authority comes first.
  if (authorities !== undefined) checks.push(trustedUserCAs({ file: literal(authorities) }, { logger }));
  if (keys !== undefined) checks.push(authorizedKeys({ file: literal(keys) }, { logger }));
  if (checks.length === 0) return undefined;
  const load = async () => {
    for (const check of checks) await check.load();
  };
  await load();
  const hook = anyOf(...checks);
  return {
    // For other names the same work is done, so that the time does not tell which name is the right one.
    hook: async (username, ...rest) => {
      const decision = await hook(user, ...rest);
      return username === user ? decision : AUTH_FAILED;
    },
    load,
  };
}

/** A path in which a percent sign stands for itself. */
function literal(path: string): string {
  return path.replaceAll("%", "%%");
}
