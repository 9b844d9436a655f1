import { ConfigurationError } from "../../base/configuration-error.js";
import { checkHookNames } from "../../base/hook-names.js";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { checkInteger, checkNotUndefined, checkOptions } from "../../base/option-checks.js";
import { type AccessMode, type AccessPolicy, allowAll, POLICY_METHODS } from "../../files/access-policy.js";
import { FILE_SERVER_OPTIONS, type FileServerOptions, fileServerSettings } from "../../files/file-server-options.js";
import { GuardedFileSystem } from "../../files/guarded-file-system.js";
import { HandleTable } from "./handle-table.js";
import { OwnerNames } from "./owner-names.js";
import { requestNames } from "./requests/registry.js";
import { SFTPSession } from "./sftp-session.js";
import type { SFTPStream } from "./sftp-stream.js";
import { symlinkOrderOf } from "./symlink-order.js";

const DEFAULT_MAX_OPEN_HANDLES = 256;

/** Options of `SFTPServer`. */
export type SFTPServerOptions = FileServerOptions & {
  /** Files and directories that the client may have open together. Default: 256. */
  readonly maxOpenHandles?: number;
  /** Requests that are refused, by the names that `requestNames` lists. */
  readonly deniedRequests?: Iterable<string>;
};

/**
 * Serves SFTP, version 3 (draft-ietf-secsh-filexfer-02) with the extensions of OpenSSH, over a channel or any other
 * stream of bytes. It attaches itself: there is nothing to start, and the caller need not keep it.
 *
 * Subclasses decide by path: each hook may be sync or async, and gets an absolute path in the client's tree. Nothing is
 * done before it has allowed the path that is left when all links are resolved; about a path with links it may have been
 * asked before. A rule for all that lies in a directory belongs into both `check` hooks.
 */
export class SFTPServer implements AccessPolicy {
  /** The stream that the session runs over. */
  readonly channel: SFTPStream;
  /** Resolves when the session has ended and all its files are closed. */
  readonly closed: Promise<void>;

  readonly #policy: AccessPolicy;

  /**
   * @throws {ConfigurationError} naming the option that cannot be used, and for a method whose name is another form of
   * a hook's
   */
  constructor(channel: SFTPStream, options: SFTPServerOptions) {
    checkOptions(options, [...FILE_SERVER_OPTIONS, "maxOpenHandles", "deniedRequests"]);
    const { fileSystem, startDirectory, policy, guard, logger, transfers } = fileServerSettings(options, channel);
    const { maxOpenHandles = DEFAULT_MAX_OPEN_HANDLES } = options;
    checkInteger("maxOpenHandles", maxOpenHandles, 1, Number.MAX_SAFE_INTEGER);
    checkNotUndefined(options, ["deniedRequests"]);
    const deniedRequests = checkDeniedRequests(options.deniedRequests ?? []);
    if (new.target !== SFTPServer) checkHookNames("SFTPServer", this, SFTPServer, logger);
    this.channel = channel;
    this.#policy = policy;
    const abort = new AbortController();
    // A subclass may set its hooks later.
    const allowsAll = () =>
      policy === allowAll && POLICY_METHODS.every((name) => this[name] === SFTPServer.prototype[name]);
    const context = {
      tree: new GuardedFileSystem(fileSystem, guard(this, allowsAll), startDirectory, abort.signal),
      handles: new HandleTable(maxOpenHandles),
      transfers,
      ownerNames: new OwnerNames(fileSystem),
      startDirectory,
      logger,
      maxOpenHandles,
      symlinkOrder: symlinkOrderOf(channel.connection?.clientVersion),
      signal: abort.signal,
    };
    this.closed = new Promise((ended) => {
      new SFTPSession(channel, { context, abort, deniedRequests, ended });
    });
  }

  /**
   * Asked before a file is read or looked at (`r`), or made, written, changed or removed (`w`). Only exactly `true`
   * allows. Here and in the other hooks the policy of the option `access` decides where they are not overridden; a function
   * that is given as this option is asked beside them.
   */
  checkFileAccess(path: string, mode: AccessMode): MaybePromise<boolean> {
    return this.#policy.checkFileAccess(path, mode);
  }

  /** The same for a directory. Listing it is `r`, which is also asked when a directory in it is listed, for `..`. */
  checkDirectoryAccess(path: string, mode: AccessMode): MaybePromise<boolean> {
    return this.#policy.checkDirectoryAccess(path, mode);
  }

  /**
   * The permission bits, 0 to 0o7777, that a file gets when a client makes it or wants to change them; `undefined`
   * leaves it to the client.
   */
  getFilePermissions(path: string): MaybePromise<number | undefined> {
    return this.#policy.getFilePermissions(path);
  }

  /** The same for a directory. */
  getDirectoryPermissions(path: string): MaybePromise<number | undefined> {
    return this.#policy.getDirectoryPermissions(path);
  }
}

function checkDeniedRequests(names: Iterable<string>): ReadonlySet<string> {
  // The characters of a text would be names, too.
  if (typeof names !== "object" || typeof names[Symbol.iterator] !== "function") {
    throw new ConfigurationError("deniedRequests", "must be a list of names");
  }
  const denied = new Set(names);
  for (const name of denied) {
    if (!requestNames.includes(name)) {
      throw new ConfigurationError("deniedRequests", `no request is named '${name}'`);
    }
  }
  return denied;
}
