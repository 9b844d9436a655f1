import type { MaybePromise } from "../base/maybe-promise.js";

/** The access that a request needs to a file or a directory. */
export type AccessMode = "r" | "w";

/**
 * Decides what a client may do, beside what the file system allows. Paths are absolute, in the tree that is served.
 * Nothing is done before it has allowed the path that is left when all links are resolved; about a path with links it may
 * have been asked before. A method that throws refuses.
 */
export interface AccessPolicy {
  /**
   * Asked before a file is read or looked at (`r`), or made, written, changed or removed (`w`). Only exactly `true`
   * allows.
   */
  checkFileAccess(path: string, mode: AccessMode): MaybePromise<boolean>;
  /** The same for a directory. Listing it is `r`, which is also asked when a directory in it is listed, for `..`. */
  checkDirectoryAccess(path: string, mode: AccessMode): MaybePromise<boolean>;
  /**
   * Asked when a file is made or its permissions are to change.
   *
   * @returns the permission bits that it gets, 0 to 0o7777; `undefined` for those the client asks for
   */
  getFilePermissions(path: string): MaybePromise<number | undefined>;
  /** The same for a directory that is made, or whose permissions are to change. */
  getDirectoryPermissions(path: string): MaybePromise<number | undefined>;
}

export const allowAll: AccessPolicy = {
  checkFileAccess: () => true,
  checkDirectoryAccess: () => true,
  getFilePermissions: () => undefined,
  getDirectoryPermissions: () => undefined,
};

/** The names of an `AccessPolicy`. */
export const POLICY_METHODS = [
  "checkFileAccess",
  "checkDirectoryAccess",
  "getFilePermissions",
  "getDirectoryPermissions",
] as const satisfies readonly (keyof AccessPolicy)[];
