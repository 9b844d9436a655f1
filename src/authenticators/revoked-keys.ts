import type { FindLogger } from "../base/connection-logger.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { checkOptions } from "../base/option-checks.js";
import type { PKey } from "../crypto/pkey/pkey.js";
import { RevocationList } from "../crypto/revocation/revocation-list.js";
import type { Connection } from "../session/connection.js";
import { FILE_OPTIONS, type FileOptions, resolveFileOptions } from "./files/file-options.js";
import { sourceFile } from "./files/file-source.js";
import { ReloadedFile } from "./files/reloaded-file.js";

/**
 * The source of revoked keys: a file, a list (as bytes or text in either format that `RevocationList.parse` reads,
 * or parsed), or a function that knows.
 */
export type RevocationSource =
  | { readonly file: string }
  | string
  | Uint8Array
  | RevocationList
  | ((key: PKey, connection: Connection | undefined, username: string | undefined) => MaybePromise<boolean>);

type Ask = Extract<RevocationSource, (...parameters: never[]) => unknown>;

/** A body for `checkKeyRevoked`. */
export interface RevokedKeys {
  /**
   * Whether a key is revoked. Never rejects: where that cannot be found out, it is.
   *
   * @param connection whose logger is used where none was given
   * @param username for a function, which is asked with all three
   */
  (key: PKey, connection?: Connection, username?: string): Promise<boolean>;
  /**
   * Reads the source now, to fail at the start of the server rather than at the first login. A list that revokes
   * nothing is good, too.
   *
   * @throws {UserFileError} when a file cannot be used
   */
  load(): Promise<void>;
}

/** Bytes. */
const MAXIMUM_REVOKED_KEYS_SIZE = 16 * 1024 * 1024;

/**
 * Refuses keys and certificates that are not to be accepted any more, as RevokedKeys in sshd_config(5).
 *
 * A file is looked at for each key and read again when it has changed. When it cannot be read, is too large, is not
 * understood to its last byte, or can be changed by others, every key is revoked, and the log has the reason. (Others could
 * take a key off the list; sshd does not look at that.) A function accepts a key by returning `false`: any other value revokes
 * the key, and so does an error.
 *
 * @throws {KeyError} when a list that is given as bytes or text is malformed
 * @throws {ConfigurationError} when the source is not one of these, or an option cannot be used
 */
export function revokedKeys(source: RevocationSource, options: FileOptions = {}): RevokedKeys {
  checkOptions(options, FILE_OPTIONS);
  const resolved = resolveFileOptions(options, MAXIMUM_REVOKED_KEYS_SIZE);
  const { loggerOf } = resolved;
  if (typeof source === "function") return asking(source, loggerOf);
  if (typeof source === "string" || source instanceof Uint8Array) return listed(RevocationList.parse(source), loggerOf);
  if (source instanceof RevocationList) return listed(source, loggerOf);
  const path = sourceFile("source", source, "{ file: PATH }, a list of revoked keys, or a function");
  const file = new ReloadedFile({ ...resolved, kind: "file of revoked keys", path }, (bytes) =>
    RevocationList.parseInTurns(bytes),
  );
  let isLoaded = false;
  // So that a file that cannot be used is in the log before the first login, unless the program hears of it by `load`.
  queueMicrotask(() => {
    if (!isLoaded) void file.current();
  });
  const isRevoked: Ask = async (key, connection) => {
    const state = await file.current(connection);
    return state === undefined || state.content.isRevoked(key) || state.lastAtRest?.isRevoked(key) === true;
  };
  return asking(isRevoked, loggerOf, async () => {
    isLoaded = true;
    await file.load();
  });
}

function listed(list: RevocationList, loggerOf: FindLogger): RevokedKeys {
  return asking((key) => list.isRevoked(key), loggerOf);
}

function asking(isRevoked: Ask, loggerOf: FindLogger, load: RevokedKeys["load"] = async () => {}): RevokedKeys {
  const ask = async (key: PKey, connection?: Connection, username?: string) => {
    try {
      return (await isRevoked(key, connection, username)) !== false;
    } catch (error) {
      loggerOf(connection).error({ err: error }, "a key is refused because its revocation could not be checked");
      return true;
    }
  };
  return Object.assign(ask, { load });
}
