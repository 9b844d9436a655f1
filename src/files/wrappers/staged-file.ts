import { type MaybePromise, whenDone } from "../../base/maybe-promise.js";
import { endFile } from "../end-file.js";
import { FileError, type FileErrorCode, toFileError } from "../errors.js";
import { abortedBy, COMPLETED, type FileOutcome } from "../file-outcome.js";
import type { AttributeChanges, FileAttributes, FileHandle, FileSystem } from "../file-system.js";
import { call, callHandle } from "./methods.js";
import type { OldContent, Staged } from "./old-content.js";
import {
  attributesAt,
  demandStillAt,
  removeStaged,
  type StagedUpload,
  superseded,
  takeOver,
  type UploadWriter,
} from "./staged-upload.js";
import type { UploadRegister } from "./upload-register.js";

/** What the handles of one wrapper have in common. */
export interface Staging {
  readonly fileSystem: FileSystem;
  readonly register: UploadRegister;
  readonly fsync: boolean;
}

/** A file that is written beside its place, and moved there when the client has closed it. */
export class StagedFile implements FileHandle, UploadWriter {
  readonly identity?: string;
  readonly staging: Staging;
  readonly #handle: FileHandle;
  readonly #upload: StagedUpload;
  readonly #number: number;
  readonly #staged: Staged;
  #isCut = false;

  constructor(staging: Staging, handle: FileHandle, upload: StagedUpload, signal: AbortSignal | undefined) {
    if (handle.identity !== undefined) this.identity = handle.identity;
    this.staging = staging;
    this.#handle = handle;
    this.#upload = upload;
    this.#staged = {
      write: (data, position) => callHandle(handle, "write", data, position),
      setstat: (changes) =>
        handle.setstat === undefined
          ? call(staging.fileSystem, "setstat", upload.stagedPath, changes)
          : handle.setstat(changes),
      signal,
    };
    this.#number = upload.begin(this);
  }

  cut(): void {
    this.#isCut = true;
    this.#upload.writers.delete(this);
  }

  read(buffer: Buffer, position: number): MaybePromise<number> {
    return callHandle(this.#handle, "read", buffer, position);
  }

  write(data: Buffer, position: number): MaybePromise<void> {
    if (this.#isCut) throw superseded();
    const { old } = this.#upload;
    return old === undefined ? this.#staged.write(data, position) : old.write(this.#staged, data, position);
  }

  stat(): MaybePromise<FileAttributes> {
    const { old } = this.#upload;
    const staged = callHandle(this.#handle, "stat");
    return old === undefined ? staged : whenDone(staged, (attributes) => old.of(attributes));
  }

  async setstat(changes: AttributeChanges): Promise<void> {
    if (this.#isCut) throw superseded();
    const { old } = this.#upload;
    await (old === undefined ? this.#staged.setstat(changes) : old.setstat(this.#staged, changes));
    if (changes.permissions !== undefined) this.#upload.hasPermissions = true;
  }

  async copyOldContent(): Promise<void> {
    await this.#upload.old?.copyRest(this.#staged);
  }

  fsync(): MaybePromise<void> {
    return callHandle(this.#handle, "fsync");
  }

  /** Moves the file into its place if the client has closed all its handles, and leaves it where it is otherwise. */
  async close(outcome: FileOutcome): Promise<void> {
    await this.staging.register.alone(this.#upload.slot, () => this.#close(outcome));
  }

  async #close(outcome: FileOutcome): Promise<void> {
    const upload = this.#upload;
    if (this.#isCut) {
      await endFile(this.#handle, abortedBy(superseded()));
      if (outcome.result === "completed") throw superseded();
      return;
    }
    upload.end(this, this.#number, outcome);
    if (upload.writers.size > 0) {
      await endFile(this.#handle, outcome);
      return;
    }
    try {
      if (upload.isRemoved) await endFile(this.#handle, outcome);
      else if (upload.isBroken) await this.#break(outcome);
      else if (upload.old?.isUntouched) await this.#leaveOld(upload.old);
      else await this.#complete();
    } finally {
      this.staging.register.delete(upload);
      await upload.old?.release();
    }
  }

  /** @throws what has failed, where the client takes the upload for whole: its own handle was closed in order */
  async #break(outcome: FileOutcome): Promise<void> {
    if (outcome.result === "aborted") return this.#keep(outcome);
    const { failure } = this.#upload;
    await this.#keep(abortedBy(failure));
    throw failure;
  }

  /** Nothing was written: the file stays the same one. */
  async #leaveOld(old: OldContent): Promise<void> {
    try {
      await old.changeOld();
    } catch (error) {
      await this.#keep(abortedBy(error));
      throw error;
    }
    await this.#keep(COMPLETED);
  }

  async #complete(): Promise<void> {
    const { fileSystem, fsync } = this.staging;
    const upload = this.#upload;
    const { path, stagedPath, isExclusive } = upload;
    let isThere: boolean;
    try {
      await this.copyOldContent();
      await upload.old?.release();
      if (fsync) await this.#handle.fsync?.();
      const replaced = await attributesAt(fileSystem, path);
      isThere = replaced !== undefined;
      if (replaced !== undefined) checkReplaceable(replaced);
      if (isExclusive && isThere) throw new FileError("EEXIST");
      await upload.demandPlace(isThere);
      if (replaced !== undefined && !upload.hasPermissions) {
        await takeOver(fileSystem, this.#handle, stagedPath, replaced);
      }
    } catch (error) {
      await this.#keep(abortedBy(error));
      throw error;
    }
    await this.#endHere(COMPLETED);
    try {
      // Where nobody minds, whatever has come to the path meanwhile is replaced: the last one to close wins.
      const mayReplace = upload.isAsked ? isThere : !isExclusive;
      await call(fileSystem, mayReplace ? "posixRename" : "rename", stagedPath, path);
    } catch (error) {
      await this.#leave(abortedBy(error), false);
      throw error;
    }
    await this.#shadowOther();
  }

  /** What the same user had begun to upload to the same path is of no use to anybody any more. */
  async #shadowOther(): Promise<void> {
    const { fileSystem, register } = this.staging;
    const { slot, stagedPath } = this.#upload;
    if (slot === stagedPath) return;
    const other = register.seenAt(slot);
    if (other === undefined || other === this.#upload) await removeStaged(fileSystem, slot);
    else other.isShadowed = true;
  }

  async #keep(outcome: FileOutcome): Promise<void> {
    const { fileSystem } = this.staging;
    const isEmpty = (await attributesAt(fileSystem, this.#upload.stagedPath))?.size === 0;
    await this.#endHere(outcome);
    await this.#leave(outcome, isEmpty);
  }

  /** @throws {FileError} when the staged file is not this one any more, which is then not to be touched */
  async #endHere(outcome: FileOutcome): Promise<void> {
    let failure: unknown;
    try {
      // As long as it is open, no other file can be taken for it.
      await demandStillAt(this.staging.fileSystem, this.#upload.stagedPath, this.#handle);
    } catch (error) {
      failure = error;
    }
    await endFile(this.#handle, failure === undefined ? outcome : abortedBy(failure));
    if (failure !== undefined) throw failure;
  }

  /** Leaves what has come where a later session finds it, unless nothing has come, or it cannot be used. */
  async #leave(outcome: FileOutcome, isEmpty: boolean): Promise<void> {
    const { fileSystem, register } = this.staging;
    const { slot, stagedPath, isShadowed, old } = this.#upload;
    const isTaken = stagedPath !== slot && register.seenAt(slot) !== undefined;
    if (isEmpty || isShadowed || isTaken || old !== undefined || isFutile(outcome)) {
      await removeStaged(fileSystem, stagedPath);
    } else if (stagedPath !== slot) await call(fileSystem, "posixRename", stagedPath, slot);
  }
}

/** Another session has made a file of the name, or there was no room. What is left cannot be used, and would take up room. */
const FUTILE: readonly FileErrorCode[] = ["EEXIST", "EDQUOT", "ENOSPC"];

/** Whether nothing is to be gained from what has come of an upload that failed. */
function isFutile(outcome: FileOutcome): boolean {
  return outcome.result === "aborted" && outcome.reason === "error" && FUTILE.includes(toFileError(outcome.error).code);
}

function checkReplaceable({ type }: FileAttributes): void {
  if (type === "directory") throw new FileError("EISDIR");
  if (type !== "file") throw new FileError("EINVAL", "Not a regular file");
}
