import type { Logger } from "pino";
import { anyOf } from "../../authenticators/any-of.js";
import { authorizedKeys, type PublicKeyHook } from "../../authenticators/authorized-keys/authorized-keys.js";
import { parseKeyBlob, parseKeyLine } from "../../authenticators/authorized-keys/key-line.js";
import { type ContentLine, logRefused, parseLines } from "../../authenticators/files/content-lines.js";
import { MAXIMUM_LINES_SIZE } from "../../authenticators/files/line-source.js";
import { trustedUserCAs } from "../../authenticators/trusted-user-cas.js";
import { AUTH_FAILED } from "../../protocol/constants.js";
import { StartError } from "../errors.js";
import { readAtStart } from "./read-at-start.js";
import type { ServeOptions } from "./serve-options.js";

/**
 * Lets one user in with the keys and certificates that the command line names; `undefined` where it names none. The files
 * are read again at each login.
 *
 * @throws {StartError} when a file cannot be used, or has no line that could let anybody in
 */
export async function loadUserKeys(
  user: string,
  { authorizedKeys: keys, trustedUserCAKeys: authorities }: ServeOptions,
  logger: Logger,
): Promise<PublicKeyHook | undefined> {
  const hooks: PublicKeyHook[] = [];
  // As in sshd, an authority comes first.
  if (authorities !== undefined) {
    await requireUsable("trusted user CA key", authorities, ({ content }) => ({ blob: parseKeyBlob(content) }), logger);
    hooks.push(trustedUserCAs({ file: literal(authorities) }, { logger }));
  }
  if (keys !== undefined) {
    await requireUsable("authorized key", keys, parseKeyLine, logger);
    hooks.push(authorizedKeys({ file: literal(keys) }, { logger }));
  }
  if (hooks.length === 0) return undefined;
  const hook = anyOf(...hooks);
  // For other names the same work is done, so that the time does not tell which name is the right one.
  return async (username, key, connection) => {
    const decision = await hook(user, key, connection);
    return username === user ? decision : AUTH_FAILED;
  };
}

/** @param kind what a line is called in the log */
async function requireUsable(
  kind: string,
  path: string,
  parse: (line: ContentLine) => object,
  logger: Logger,
): Promise<void> {
  const { entries, refused } = parseLines((await readAtStart(path, MAXIMUM_LINES_SIZE)).toString("utf8"), parse);
  logRefused(refused, kind, { path }, logger);
  if (entries.length === 0) throw new StartError(`${path} holds no key that can be used: nobody could log in`);
}

/** A path in which a percent sign stands for itself. */
function literal(path: string): string {
  return path.replaceAll("%", "%%");
}
