import type { AccessMode, AccessPolicy } from "./access-policy.js";
import type { Awaitable, FileSystem } from "./file-system.js";
import { GuardedFileSystem } from "./guarded-file-system.js";
import { HandleTable } from "./handle-table.js";
import { LocalFileSystem } from "./local/local-file-system.js";
import { OwnerNames } from "./owner-names.js";
import { normalizePath } from "./path.js";
import { requestNames } from "./requests/registry.js";
import { type SFTPLogger, SFTPSession, type SFTPStream } from "./sftp-session.js";
import { symlinkOrderOf } from "./symlink-order.js";

const DEFAULT_MAX_OPEN_HANDLES = 256;

/** What is served. */
export type ServedFiles =
  | {
      /** A directory of this machine, which becomes the client's root. It is made if only its last name is missing. */
      readonly rootPath: string;
    }
  | { readonly fileSystem: FileSystem };

export type SFTPServerOptions = ServedFiles & {
  /** The client's home: where relative paths start. Default: `/`. */
  readonly startDirectory?: string;
  /** Files and directories that the client may have open together. Default: 256. */
  readonly maxOpenHandles?: number;
  /** Requests that are refused, by the names that `requestNames` lists. */
  readonly deniedRequests?: Iterable<string>;
  /** Failed requests at debug level; defects and broken protocol at warn. Default: silent. */
  readonly logger?: SFTPLogger;
};

const silentLogger: SFTPLogger = { debug: () => {}, warn: () => {} };

/**
 * Serves SFTP, version 3 (draft-ietf-secsh-filexfer-02) with the extensions of OpenSSH, over a channel or any other
 * stream of bytes. It attaches itself: there is nothing to start, and it may be dropped by whoever made it.
 *
 * Subclasses decide by path: each hook may be sync or async, and gets an absolute path in the client's tree. Nothing is
 * done before it has allowed the path that is left when all links are resolved; about a path with links it may have been
 * asked before. A rule for all that lies in a directory belongs into both `check` hooks.
 */
export class SFTPServer implements AccessPolicy {
  /** What the session runs over. */
  readonly channel: SFTPStream;
  /** Resolves when the session has ended and all its files are closed. */
  readonly closed: Promise<void>;

  /**
   * @throws {RangeError} for `maxOpenHandles` that is no positive integer, or an unknown name in `deniedRequests`
   */
  constructor(channel: SFTPStream, options: SFTPServerOptions) {
    const { startDirectory = "/", maxOpenHandles = DEFAULT_MAX_OPEN_HANDLES, logger = silentLogger } = options;
    if (!Number.isInteger(maxOpenHandles) || maxOpenHandles < 1) {
      throw new RangeError(`maxOpenHandles is a positive integer, not ${maxOpenHandles}`);
    }
    const deniedRequests = new Set(options.deniedRequests);
    for (const name of deniedRequests) {
      if (!requestNames.includes(name)) throw new RangeError(`there is no request named '${name}'`);
    }
    this.channel = channel;
    const fileSystem = "fileSystem" in options ? options.fileSystem : new LocalFileSystem(options.rootPath);
    const start = normalizePath(startDirectory);
    const context = {
      tree: new GuardedFileSystem(fileSystem, this, start),
      handles: new HandleTable(maxOpenHandles),
      ownerNames: new OwnerNames(fileSystem),
      startDirectory: start,
      maxOpenHandles,
      symlinkOrder: symlinkOrderOf(channel.connection?.clientVersion),
    };
    this.closed = new Promise((ended) => {
      new SFTPSession(channel, { context, deniedRequests, logger, ended });
    });
  }

  /** Asked before a file is read (`r`) or made, written, changed or removed (`w`). Only exactly `true` allows. */
  checkFileAccess(_path: string, _mode: AccessMode): Awaitable<boolean> {
    return true;
  }

  /** Asked before a directory is listed (`r`) or made, changed or removed (`w`). Only exactly `true` allows. */
  checkDirectoryAccess(_path: string, _mode: AccessMode): Awaitable<boolean> {
    return true;
  }

  /**
   * The permission bits, 0 to 0o7777, that a file gets when a client makes it or wants to change them; `undefined`
   * leaves it to the client.
   */
  getFilePermissions(_path: string): Awaitable<number | undefined> {
    return undefined;
  }

  /** The same for a directory. */
  getDirectoryPermissions(_path: string): Awaitable<number | undefined> {
    return undefined;
  }
}
