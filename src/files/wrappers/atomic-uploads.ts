import { ConfigurationError } from "../../base/configuration-error.js";
import { checkFlag, checkNumber, checkOptions, checkText } from "../../base/option-checks.js";
import { standsOn } from "../base-path.js";
import type { FileSystem } from "../file-system.js";
import { checkFileSystem, type FileSystemMethod, selectMethods } from "./methods.js";
import { StagedFileSystem } from "./staged-file-system.js";

/** Seconds that what is left of an upload is kept: a week. */
export const KEPT_FOR = 7 * 24 * 60 * 60;

/** Options of `atomicUploads`. */
export interface AtomicUploadsOptions {
  /**
   * The user whose files are served: each sees their own unfinished uploads, and nobody else's. All sessions with one name are one
   * user. Any text will do that differs for users who must not go on with the uploads of each other.
   */
  readonly user?: string | undefined;
  /** Seconds that what is left of an upload is kept, from the last change on. Default: a week. */
  readonly keepSeconds?: number;
  /** Whether a file is on the disk itself before it is moved into its place: slow, and safe against power cuts. Default: `false`. */
  readonly fsync?: boolean;
}

const NEEDED = ["open", "lstat", "remove", "rename", "posixRename"] as const satisfies readonly FileSystemMethod[];

const staging = new WeakSet<FileSystem>();

/** Whether a file system stages what is uploaded to it. */
export function stagesUploads(fileSystem: FileSystem): boolean {
  return staging.has(fileSystem);
}

/**
 * Lets nobody see half an upload: `atomicUploads(files, { user })`, one wrapper for each session. A file that is made,
 * emptied or written anew is written beside its place, under a hidden name, and moved there when the client has closed it.
 *
 * - Until then others see the old file, or none. The user sees the new one under its final name, so that a later
 *   session can go on with it (`reput`). It can be read, changed and removed there, but not renamed or linked (EBUSY).
 * - To write a file anew is to open it with `create`, and with neither `read` nor `append`, as `scp` does where it is there. What has not
 *   been written when it is closed is copied from the old file. All others that are there and are not emptied are written in their place.
 * - A file that replaces another has its permissions, unless the client sets others, and its owner where that is possible.
 * - One that was opened with `exclusive` replaces nothing: closing it fails if somebody else was first (EEXIST). Of other
 *   uploads to one path the last one that is closed counts. If a session goes on with an upload that another one still has open, the
 *   other can write no more (ESTALE).
 * - What is left of an upload is removed when the directory is listed, or the name used, `keepSeconds` after the last change; and
 *   by `sweepUploads`.
 * - One object of the file system for all sessions that share a folder is best: they know of each other's uploads by it.
 *
 * Names of staged files begin with `.spindlex-`; clients can neither see nor use such names.
 *
 * @throws {ConfigurationError} when an option cannot be used, or the file system has no `open`, `lstat`, `remove`, `rename` or `posixRename`
 */
export function atomicUploads(fileSystem: FileSystem, options: AtomicUploadsOptions = {}): FileSystem {
  checkFileSystem("fileSystem", fileSystem);
  const missing = NEEDED.find((name) => fileSystem[name] === undefined);
  if (missing !== undefined) throw new ConfigurationError("fileSystem", `has no method ${missing}`);
  const { user, keepSeconds = KEPT_FOR, fsync = false } = checkOptions(options, ["user", "keepSeconds", "fsync"]);
  if (user !== undefined) checkText("user", user);
  checkNumber("keepSeconds", keepSeconds, 1, Number.MAX_SAFE_INTEGER);
  const atomic = new StagedFileSystem(fileSystem, user, keepSeconds, checkFlag("fsync", fsync));
  const wrapped = {
    ...selectMethods(fileSystem, () => true),
    ...selectMethods(atomic, (name) => fileSystem[name] !== undefined),
  };
  staging.add(wrapped);
  return standsOn(wrapped, fileSystem);
}
