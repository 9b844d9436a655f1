import type { MaybePromise } from "../base/maybe-promise.js";
import type { AbortedOutcome, FileOutcome } from "./file-outcome.js";

/** What a name of a file system stands for. */
export type FileType =
  | "file"
  | "directory"
  | "symlink"
  | "fifo"
  | "socket"
  | "character-device"
  | "block-device"
  | "unknown";

/** The attributes of a file. */
export interface FileAttributes {
  /** What it is: a file, a directory, a link, … */
  readonly type: FileType;
  /** Bytes. */
  readonly size: number;
  /** Permission bits, with set-user-ID, set-group-ID and sticky: 0 to 0o7777. */
  readonly permissions: number;
  /** Seconds since 1970; clients see whole ones. */
  readonly accessTime: number;
  /** Seconds since 1970; clients see whole ones. */
  readonly modifyTime: number;
  /** Numbers of the owner; 0 where absent. */
  readonly uid?: number;
  /** Number of the group; 0 where absent. */
  readonly gid?: number;
  /** Names of the file; 1 where absent. */
  readonly links?: number;
  /** The file is an upload that its user has not completed, and nothing else is there: to make it anew replaces nothing. */
  readonly unfinished?: boolean;
}

/** The changes to a file; an attribute that is absent stays as it is. */
export interface AttributeChanges {
  /** Bytes; a longer file is cut, a shorter one filled with zeros. */
  readonly size?: number;
  /** Numbers of the new owner and the new group. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** 0 to 0o7777. */
  readonly permissions?: number;
  /** Whole seconds since 1970. */
  readonly times?: { readonly accessTime: number; readonly modifyTime: number };
}

/** The mode in which a file is to be opened (draft-ietf-secsh-filexfer-02 §6.3). */
export interface OpenOptions {
  /** The file will be read. */
  readonly read: boolean;
  /** The file will be written. */
  readonly write: boolean;
  /** Every write goes to the end, whatever its position. */
  readonly append: boolean;
  /** Create the file if there is none. */
  readonly create: boolean;
  /** Empty the file; only ever with `write`. */
  readonly truncate: boolean;
  /** Fail if there is a file; only ever with `create`. */
  readonly exclusive: boolean;
  /**
   * For a file system that writes uploads beside their places, as `atomicUploads` does: asked before what was written is put
   * in its place, with whether a file is there by then. `false` lets it fail (EEXIST, ENOENT). With this function, `exclusive`
   * is not what the client has asked for: an unfinished upload of the user goes on.
   */
  readonly mayPlace?: (isThere: boolean) => MaybePromise<boolean>;
  /** Beside `mayPlace`, where `create` is left out so that nothing is made: the client has asked for it all the same. */
  readonly createAsked?: boolean;
  /** Permission bits of a new file, less the umask; 0o666 where absent. */
  readonly permissions?: number;
  /** Fires when the session of the client is over: what takes long can be given up. */
  readonly signal?: AbortSignal;
}

/** A name in a directory, as a file system lists it. */
export interface DirectoryEntry {
  /** One name, not a path. Each byte that is not UTF-8 stands in it as a lone surrogate, U+DC80 to U+DCFF; in paths, too. */
  readonly name: string;
  /** As `lstat` gives them. */
  readonly attributes: FileAttributes;
}

/** Room on a file system, as statvfs(3) has it. */
export interface FileSystemStatistics {
  /** Bytes. */
  readonly blockSize: number;
  /** In units of `blockSize`. */
  readonly blocks: number;
  /** Blocks that nobody uses, those kept for root included. */
  readonly freeBlocks: number;
  /** Blocks that users can still fill. */
  readonly availableBlocks: number;
  /** How many files there can be. */
  readonly files: number;
  /** How many more there can be, those kept for root included. */
  readonly freeFiles: number;
  /** How many more users can make. */
  readonly availableFiles: number;
  /** Its number, 64 bits; 0 where absent. */
  readonly fileSystemId?: bigint;
  /** Nothing can be written there. Default `false`. */
  readonly readOnly?: boolean;
  /** Bytes of a name. */
  readonly maximumNameLength: number;
}

/** An open file. A method that is missing answers "operation unsupported". */
export interface FileHandle {
  /**
   * The same for all handles of one file: requests on them keep their order. If absent, it is the path that the file
   * was opened with.
   */
  readonly identity?: string;
  /**
   * Reads into `buffer` from `position` (bytes from the start of the file). A server reads ahead of clients: it may ask for
   * what nobody uses, for what lies behind the end, and for several parts at a time.
   *
   * @returns how many bytes it read: as many as there are, up to `buffer.length`; 0 at the end of the file. Behind them the
   * buffer may hold bytes of other files: never say more than was read.
   */
  read?(buffer: Buffer, position: number): MaybePromise<number>;
  /** Writes all of `data` at `position`. The buffer is used again once this has resolved: copy what is to be kept. */
  write?(data: Buffer, position: number): MaybePromise<void>;
  /** The attributes of the open file, wherever it is by now. */
  stat?(): MaybePromise<FileAttributes>;
  /** Changes what is named, of the open file. */
  setstat?(changes: AttributeChanges): MaybePromise<void>;
  /** Resolves when what was written lies on the disk. */
  fsync?(): MaybePromise<void>;
  /**
   * Called once, after all else, unless `abort` is.
   *
   * @param outcome tells whether the client has done all that it wanted with the file. What was written by an upload
   *   that was aborted is a part of a file.
   */
  close?(outcome: FileOutcome): MaybePromise<void>;
  /** Called in place of `close` where the outcome is not completed. If it is missing, `close` is called with any outcome. */
  abort?(outcome: AbortedOutcome): MaybePromise<void>;
}

/**
 * A file system that an SFTPServer serves. Every method may be missing, but not all of them: requests that need it fail
 * with "operation unsupported", and extensions that need it are not announced.
 *
 * - Paths are canonical: absolute, without `.`, `..` or a slash at the end; `/` is the root.
 * - No method follows a symbolic link. Each throws `LinkInPathError` if a name before the last is a link; `open`,
 *   `readdir` and `statvfs` also if the last one is. The server resolves the link and asks again. The other methods
 *   work on a link itself. A file system without `readlink` has no links.
 * - Failures are thrown. The client is told the text of a `FileError`, and the meaning of the `code` (`ENOENT`, …) of
 *   an error of the operating system. Any other error is logged, and the client is told of a failure without a reason.
 */
export interface FileSystem {
  /** Opens a file, and makes it where the options say so. */
  open?(path: string, options: OpenOptions): MaybePromise<FileHandle>;
  /** The attributes of what is at the path; of a link, those of the link itself. */
  lstat?(path: string): MaybePromise<FileAttributes>;
  /** Changes what is named, of what is at the path. */
  setstat?(path: string, changes: AttributeChanges): MaybePromise<void>;
  /** The entries of a directory; `.` and `..` are left to the server. Read only as far as the client asks for them. */
  readdir?(path: string): AsyncIterable<DirectoryEntry> | Iterable<DirectoryEntry>;
  /** Removes what is not a directory. */
  remove?(path: string): MaybePromise<void>;
  /**
   * Makes a directory. Fails where the path exists.
   *
   * @param permissions bits of the new directory, less the umask
   */
  mkdir?(path: string, permissions: number): MaybePromise<void>;
  /** Removes an empty directory. */
  rmdir?(path: string): MaybePromise<void>;
  /** Fails where `newPath` exists. */
  rename?(oldPath: string, newPath: string): MaybePromise<void>;
  /** Replaces what is at `newPath`, as rename(2) does. */
  posixRename?(oldPath: string, newPath: string): MaybePromise<void>;
  /** The target as it was given to `symlink`. */
  readlink?(path: string): MaybePromise<string>;
  /**
   * Makes a symbolic link. Fails where `linkPath` exists.
   *
   * @param target any text; relative to the directory of the link, or absolute from the root of the file system
   */
  symlink?(target: string, linkPath: string): MaybePromise<void>;
  /** Gives a file one more name. Fails where `newPath` exists. */
  hardlink?(existingPath: string, newPath: string): MaybePromise<void>;
  /** How large the file system is that holds the path, and how much of it is left. */
  statvfs?(path: string): MaybePromise<FileSystemStatistics>;
  /** Names of users by their numbers, in the same order; `undefined` for those it does not know. */
  userNames?(ids: readonly number[]): MaybePromise<readonly (string | undefined)[]>;
  /** Names of groups by their numbers, in the same order; `undefined` for those it does not know. */
  groupNames?(ids: readonly number[]): MaybePromise<readonly (string | undefined)[]>;
}
