import { isThenable, type MaybePromise } from "../../base/maybe-promise.js";
import { endFile } from "../end-file.js";
import type { FileOutcome } from "../file-outcome.js";
import type { AttributeChanges, FileAttributes, FileHandle } from "../file-system.js";
import type { CountedFile } from "./counted-file.js";
import { callHandle } from "./methods.js";

/** A file as long as it is open. */
export interface OpenFile {
  /** The key that it is known by. */
  key: string;
  handles: number;
  /** With those that are being closed. */
  openHandles: number;
  /** Resolves when its size is known. */
  readonly counted: Promise<CountedFile>;
}

/** A handle whose writes count. */
export class QuotaHandle implements FileHandle {
  readonly identity?: string;
  readonly #handle: FileHandle;
  readonly #appends: boolean;
  readonly #openFile: OpenFile;
  readonly #file: CountedFile;
  readonly #onLastClose: () => void;

  /**
   * @param appends whether writes go to the end, whatever their position
   * @param onLastClose called when no other handle of the file is left
   */
  constructor(handle: FileHandle, appends: boolean, openFile: OpenFile, file: CountedFile, onLastClose: () => void) {
    if (handle.identity !== undefined) this.identity = handle.identity;
    this.#handle = handle;
    this.#appends = appends;
    this.#openFile = openFile;
    this.#file = file;
    this.#onLastClose = onLastClose;
  }

  read(buffer: Buffer, position: number): MaybePromise<number> {
    return callHandle(this.#handle, "read", buffer, position);
  }

  async write(data: Buffer, position: number): Promise<void> {
    const write = () => callHandle(this.#handle, "write", data, position);
    if (data.length === 0) await write();
    else if (this.#appends) await this.#file.append(data.length, this.#stat, write);
    else await this.#file.write(position + data.length, this.#stat, write);
  }

  stat(): MaybePromise<FileAttributes> {
    return this.#stat();
  }

  async setstat(changes: AttributeChanges): Promise<void> {
    const change = () => callHandle(this.#handle, "setstat", changes);
    if (changes.size === undefined) await change();
    else await this.#file.resize(changes.size, this.#stat, change);
  }

  fsync(): MaybePromise<void> {
    return callHandle(this.#handle, "fsync");
  }

  /** Tells that a name of the file was removed. */
  nameRemoved(): Promise<void> {
    return this.#file.nameRemoved(this.#stat);
  }

  async close(outcome: FileOutcome): Promise<void> {
    const openFile = this.#openFile;
    const isLast = --openFile.handles === 0;
    // Before its last handle is closed: then what identifies it may be given to another file.
    if (isLast) this.#onLastClose();
    try {
      const settled = isLast ? this.#file.closingLastHandle(this.#stat) : undefined;
      if (isThenable(settled)) await settled;
      await endFile(this.#handle, outcome);
    } finally {
      const left = --openFile.openHandles === 0 ? this.#file.lastHandleClosed() : undefined;
      if (isThenable(left)) await left;
    }
  }

  readonly #stat = (): MaybePromise<FileAttributes> => callHandle(this.#handle, "stat");
}
