import { endFile } from "../end-file.js";
import { FileError, isMissing, toFileError } from "../errors.js";
import { COMPLETED, type FileOutcome } from "../file-outcome.js";
import type { AttributeChanges, FileAttributes, FileHandle, FileSystem, OpenOptions } from "../file-system.js";
import { FOR_READING } from "../open-options.js";
import { call } from "./methods.js";
import type { OldContent } from "./old-content.js";

/** A handle that writes an upload. */
export interface UploadWriter {
  /** The same for all handles of one wrapper: in most programs, of a session. */
  readonly staging: object;
  /** Lets nothing more be written: another session goes on with the upload. */
  cut(): void;
  setstat(changes: AttributeChanges): Promise<void>;
  /** Copies what the staged file does not yet have of the old content. */
  copyOldContent(): Promise<void>;
}

export interface UploadPlaces {
  readonly path: string;
  readonly stagedPath: string;
  readonly slot: string;
  readonly old?: OldContent;
}

/** An upload that is under way, or was taken up again. */
export class StagedUpload {
  /** Where the file is to be. */
  path: string;
  stagedPath: string;
  /** The path of a staged file that is found again. */
  slot: string;
  /** Of a file that was there and has not been emptied. */
  readonly old: OldContent | undefined;
  /** Nothing may be replaced. */
  readonly isExclusive: boolean;
  #mayPlace: OpenOptions["mayPlace"];
  /** The path that `mayPlace` asks about. */
  #askedPath: string;
  readonly writers = new Set<UploadWriter>();
  /** The client has said which permissions the file is to have. */
  hasPermissions = false;
  /** Another file has come to the path since, and this one is not to be found under it any more. */
  isShadowed = false;
  /** The client has removed it. */
  isRemoved = false;
  #opened = 0;
  #newestCompleted = 0;
  #newestAborted = 0;
  #failure: unknown;

  constructor({ path, stagedPath, slot, old }: UploadPlaces, options: OpenOptions) {
    this.path = path;
    this.stagedPath = stagedPath;
    this.slot = slot;
    this.old = old;
    this.isExclusive = isStrict(options);
    this.#mayPlace = options.mayPlace;
    this.#askedPath = path;
  }

  /**
   * Whether a part may be missing: something has failed, or a client has left a handle open, and no handle that was opened later
   * was closed. A client that closes a later one has gone on with what was lost.
   */
  get isBroken(): boolean {
    return this.#failure !== undefined || this.#newestAborted > this.#newestCompleted;
  }

  /** The error that the close of the last handle of a broken upload fails with. */
  get failure(): unknown {
    return this.#failure ?? new FileError("EIO", "The upload is not complete");
  }

  /** Whether somebody is asked before the file is put in its place. */
  get isAsked(): boolean {
    return this.#mayPlace !== undefined;
  }

  /** The one who has opened the file last is asked before it is put in its place. */
  askBy({ mayPlace }: OpenOptions): void {
    this.#mayPlace = mayPlace;
    this.#askedPath = this.path;
  }

  /**
   * @param isThere whether it replaces another file
   * @throws {FileError} where that is not allowed
   */
  async demandPlace(isThere: boolean): Promise<void> {
    if (this.#mayPlace === undefined) return;
    // The upload has moved along with its directory, and the file that is there now is not the one that was asked about.
    if (isThere && this.path !== this.#askedPath) throw new FileError("EACCES");
    if ((await this.#mayPlace(isThere)) === false) throw new FileError(isThere ? "EEXIST" : "ENOENT");
  }

  /** @returns the number of the handle */
  begin(writer: UploadWriter): number {
    this.writers.add(writer);
    return ++this.#opened;
  }

  /** @param number of a handle that has ended */
  end(writer: UploadWriter, number: number, outcome: FileOutcome): void {
    this.writers.delete(writer);
    if (outcome.result === "completed") this.#newestCompleted = Math.max(this.#newestCompleted, number);
    else this.#newestAborted = Math.max(this.#newestAborted, number);
    if (outcome.result === "aborted" && outcome.reason === "error") {
      this.#failure ??= outcome.error ?? new FileError("EIO");
    }
  }
}

/** Whether a client has asked for a file of its own making, and no other. */
export function isStrict({ exclusive, mayPlace }: OpenOptions): boolean {
  return exclusive && mayPlace === undefined;
}

/** What there is at a path; `undefined` where nothing is. */
export async function attributesAt(fileSystem: FileSystem, path: string): Promise<FileAttributes | undefined> {
  try {
    return await call(fileSystem, "lstat", path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Makes sure that a path still leads to the file that was opened by it. Another process, or another object for the same
 * folder, may have put another there. A file system that does not tell files apart is believed.
 *
 * @throws {FileError}
 */
export async function demandStillAt(fileSystem: FileSystem, path: string, { identity }: FileHandle): Promise<void> {
  if (identity === undefined) return;
  let handle: FileHandle;
  try {
    handle = await call(fileSystem, "open", path, FOR_READING);
  } catch (error) {
    if (toFileError(error).code === "EACCES") return; // its own permissions let nobody read it
    throw error;
  }
  await endFile(handle, COMPLETED);
  if (handle.identity !== identity) throw superseded();
}

/** Gives a staged file what a file that it replaces has: its permissions, and its owner where that is possible. */
export async function takeOver(
  fileSystem: FileSystem,
  handle: FileHandle,
  stagedPath: string,
  { permissions, uid, gid }: FileAttributes,
): Promise<void> {
  const setstat: NonNullable<FileHandle["setstat"]> | undefined =
    handle.setstat?.bind(handle) ?? fileSystem.setstat?.bind(fileSystem, stagedPath);
  if (setstat === undefined) return;
  const staged = (await handle.stat?.()) ?? (await call(fileSystem, "lstat", stagedPath));
  const isOthers = staged.uid !== uid || staged.gid !== gid;
  if (isOthers && uid !== undefined && gid !== undefined) {
    try {
      await setstat({ owner: { uid, gid } });
    } catch {
      // Only root may give files away.
    }
  }
  if (isOthers || staged.permissions !== permissions) await setstat({ permissions });
}

/**
 * Whether a staged file that is not under way is too old to be gone on with. Its user can set its time: one that lies further
 * ahead than the file is kept does not keep it. One with a second name is in its place already: where nothing may be replaced,
 * disks move a file by giving it the new name first.
 */
export function isExpired({ modifyTime, links = 1 }: FileAttributes, keepSeconds: number): boolean {
  return links > 1 || Math.abs(Date.now() / 1000 - modifyTime) >= keepSeconds;
}

/** Removes a staged file, if it is there. */
export async function removeStaged(fileSystem: FileSystem, stagedPath: string): Promise<void> {
  try {
    await call(fileSystem, "remove", stagedPath);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

export function superseded(): FileError {
  return new FileError("ESTALE", "Another session has taken this upload over");
}
