import type { MaybePromise } from "../base/maybe-promise.js";
import type { FileOperation } from "./file-operation.js";
import type { FileServerConnection } from "./file-server-stream.js";

/** The user who wants to do something to a file, and the details of the request. */
export interface AccessContext<Client extends object = FileServerConnection> {
  /** Name of the user who is logged in; `undefined` where files are served over a stream that belongs to no connection. */
  readonly user: string | undefined;
  /** The connection of the channel that the files are served over; `undefined` for a stream that belongs to none. */
  readonly connection: Client | undefined;
  /** The second name, for `rename` and `hardlink` when they are asked about the first. */
  readonly to?: string;
  /** For `rename`: whether it moves a directory, with all that lies in it. */
  readonly isDirectory?: boolean;
}

/**
 * Decides what a client may do, operation by operation, beside what the file system allows:
 * `(operation, path, { user }) => path.startsWith(`/${user}/`)`.
 *
 * Paths are absolute, in the tree that is served. Nothing is done before the path that is left when all links are resolved
 * has been allowed; about a path with links it may have been asked before. Only exactly `true` allows. A throw refuses, and
 * is a line in the log.
 *
 * `rename` and `hardlink` are asked about both names. A rename that puts a file in the place of another is `overwrite` of
 * the new name, too. Before a file gets another name, `read`, `overwrite`, `append`, `attributes` and `delete` are asked
 * about both: under the new name nothing may be allowed that was not under the old one.
 */
export interface AccessFunction<Client extends object = FileServerConnection> {
  /**
   * Only exactly `true` allows the operation.
   *
   * @param path absolute, in the tree that is served
   */
  (operation: FileOperation, path: string, context: AccessContext<Client>): MaybePromise<boolean>;
  /** Whether a path is to look as if nothing was there: it is not listed, and what is refused about it is "no such file". */
  hides?(path: string, context: AccessContext<Client>): MaybePromise<boolean>;
  /** Why something is refused, in a few words for the log. */
  explain?(operation: FileOperation, path: string, context: AccessContext<Client>): string;
}
