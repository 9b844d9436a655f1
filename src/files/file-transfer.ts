import { isThenable, type MaybePromise, whenDone } from "../base/maybe-promise.js";
import { endFile } from "./end-file.js";
import { FileError, toFileError } from "./errors.js";
import { abortedBy, type FileOutcome } from "./file-outcome.js";
import type { FileHandle, OpenOptions } from "./file-system.js";
import type { OpenedFile } from "./open-as-allowed.js";
import { readBytes } from "./read-bytes.js";
import { sizeOf } from "./size-of.js";
import { countRead, uncounted } from "./uncounted-reads.js";

/** An observer of transfers. */
export interface TransferWatcher {
  /** Whether it wants to know how large files are at their end. */
  readonly wantsSize: boolean;
  /** Called once, when the file is closed. It never throws. */
  ended(transfer: FileTransfer, outcome: FileOutcome): void;
}

/** A file that a client has opened: how much of it was read and written, and whether all of that went well. */
export class FileTransfer {
  readonly path: string;
  readonly handle: FileHandle;
  readonly #options: OpenOptions;
  readonly #watcher: TransferWatcher | undefined;
  readonly #begun = performance.now();
  #wasRead = false;
  #wasWritten = false;
  #bytesRead = 0;
  #bytesWritten = 0;
  #size: number | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor({ path, handle }: OpenedFile, options: OpenOptions, watcher?: TransferWatcher) {
    this.path = path;
    this.handle = handle;
    this.#options = options;
    this.#watcher = watcher;
  }

  /** Whether the client has asked for content, even if there was none. */
  get wasRead(): boolean {
    return this.#wasRead;
  }

  /** Whether it was written, or made or emptied so as to be. */
  get wasWritten(): boolean {
    const { write, create, truncate } = this.#options;
    return this.#wasWritten || (write && (create || truncate));
  }

  /** Bytes, those that were read twice counted twice. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes of the writes that succeeded. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Bytes that the file had when it was closed, as far as it tells and the watcher wants to know. */
  get size(): number | undefined {
    return this.#size;
  }

  /** Since it was opened. */
  get milliseconds(): number {
    return performance.now() - this.#begun;
  }

  /** Reading has begun, whether there is anything to read or not. */
  beginReading(): void {
    this.#wasRead = true;
  }

  /** Reads as `readBytes` does. */
  read(buffer: Buffer, position: number): MaybePromise<number> {
    this.#wasRead = true;
    let count: MaybePromise<number>;
    try {
      count = readBytes(this.handle, buffer, position);
    } catch (error) {
      return this.fail(error);
    }
    if (isThenable(count)) return count.then(this.#countRead, this.fail);
    return this.#countRead(count);
  }

  /** Reads what the client has not asked for: neither the bytes nor a failure count. */
  readAhead(buffer: Buffer, position: number): MaybePromise<number> {
    return readBytes(uncounted(this.handle), buffer, position);
  }

  /** Counts what was read ahead, when the client gets it. */
  countRead(length: number): void {
    this.#countRead(length);
    countRead(this.handle, length);
  }

  /** Writes all of `data`. */
  write(data: Buffer, position: number): MaybePromise<void> {
    this.#wasWritten = true;
    const { length } = data;
    if (position + length > Number.MAX_SAFE_INTEGER) return this.fail(new FileError("EFBIG"));
    let written: MaybePromise<void>;
    try {
      if (this.handle.write === undefined) throw new FileError("ENOTSUP");
      written = this.handle.write(data, position);
    } catch (error) {
      return this.fail(error);
    }
    if (!isThenable(written)) {
      this.#bytesWritten += length;
      return undefined;
    }
    return Promise.resolve(written).then(() => {
      this.#bytesWritten += length;
    }, this.fail);
  }

  /** Resolves when what was written lies on the disk. */
  async fsync(): Promise<void> {
    if (this.handle.fsync === undefined) throw new FileError("ENOTSUP");
    try {
      await this.handle.fsync();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Notes a failure after which the file is not what the client wanted, and throws it on. The first one counts. */
  readonly fail = (error: unknown): never => {
    this.#failure ??= { error };
    throw error;
  };

  /**
   * Closes the file. It is aborted if anything has failed, whatever the client did then.
   *
   * @throws what has failed of an upload that the client takes for whole
   */
  end(given: FileOutcome): MaybePromise<void> {
    const wantsSize = this.#watcher?.wantsSize && (this.wasRead || this.wasWritten);
    return whenDone(wantsSize ? sizeOf(this.handle) : undefined, (size) => {
      this.#size = size;
      return this.#end(given);
    });
  }

  #end(given: FileOutcome): MaybePromise<void> {
    const failure = this.#failure;
    const outcome = failure === undefined ? given : abortedBy(failure.error);
    const failed = (error: unknown): never => {
      this.#watcher?.ended(this, outcome.result === "aborted" ? outcome : abortedBy(error));
      throw error;
    };
    const ended = (): void => {
      this.#watcher?.ended(this, outcome);
      if (failure !== undefined && given.result === "completed" && this.wasWritten) throw toFileError(failure.error);
    };
    let ending: MaybePromise<void>;
    try {
      ending = endFile(this.handle, outcome);
    } catch (error) {
      return failed(error);
    }
    return isThenable(ending) ? Promise.resolve(ending).then(ended, failed) : ended();
  }

  readonly #countRead = (count: number): number => {
    this.#bytesRead += count;
    return count;
  };
}
