import { isThenable, type MaybePromise, whenDone } from "../../base/maybe-promise.js";
import type { EntryIterator } from "../../files/entry-iterator.js";
import { FileError } from "../../files/errors.js";
import { COMPLETED, type FileOutcome } from "../../files/file-outcome.js";
import type { DirectoryEntry, OpenOptions } from "../../files/file-system.js";
import type { FileTransfer } from "../../files/file-transfer.js";
import type { OpenedFile } from "../../files/open-as-allowed.js";
import { StatusCode } from "../codec/constants.js";
import { SFTPError } from "../codec/sftp-error.js";

const HANDLE_LENGTH = 4;

export interface OpenFile extends OpenedFile {
  readonly kind: "file";
  readonly options: OpenOptions;
  readonly transfer: FileTransfer;
  /** The same for all handles of one file. */
  readonly identity: string;
}

export interface OpenDirectory {
  readonly kind: "directory";
  readonly path: string;
  readonly entries: EntryIterator;
  /** No other handle has the same: each reads the directory on its own. */
  readonly identity: string;
  /** Entries to give before all others: `.` and `..`, and one that did not fit into the last reply. */
  readonly waiting: DirectoryEntry[];
  atEnd: boolean;
}

export type OpenObject = OpenFile | OpenDirectory;

/** The objects that a client has open. Numbers of handles are not used again, so a closed one names nothing. */
export class HandleTable {
  readonly #open = new Map<number, OpenObject>();
  /** No handle names them any more, and they are still to be closed. */
  readonly #leaving = new Set<OpenObject>();
  readonly #maximum: number;
  /** The number of objects that are being opened or closed. */
  #pending = 0;
  #lastNumber = 0;
  /** How files end that are opened from now on; `undefined` as long as the session lasts. */
  #end: FileOutcome | undefined;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * Takes a place before anything is opened; the place is given up when `open` fails.
   *
   * @throws {SFTPError} when all places are taken
   */
  add(open: () => MaybePromise<OpenObject>): MaybePromise<Buffer> {
    if (this.#open.size + this.#leaving.size + this.#pending >= this.#maximum) {
      throw new FileError("EMFILE");
    }
    const opening = open();
    return isThenable(opening) ? this.#addLater(opening) : this.#add(opening);
  }

  async #addLater(opening: Promise<OpenObject>): Promise<Buffer> {
    this.#pending++;
    try {
      return await this.#add(await opening);
    } finally {
      this.#pending--;
    }
  }

  #add(object: OpenObject): MaybePromise<Buffer> {
    if (this.#end !== undefined) {
      return whenDone(closeObject(object, this.#end), () => {
        throw new SFTPError(StatusCode.FAILURE, "The session has ended");
      });
    }
    const number = ++this.#lastNumber;
    this.#open.set(number, object);
    const handle = Buffer.alloc(HANDLE_LENGTH);
    handle.writeUInt32BE(number);
    return handle;
  }

  /** @throws {SFTPError} when the handle names nothing that is open */
  get(handle: Buffer): OpenObject {
    const object = handle.length === HANDLE_LENGTH ? this.#open.get(handle.readUInt32BE()) : undefined;
    if (object === undefined) throw new SFTPError(StatusCode.FAILURE, "Invalid handle");
    return object;
  }

  /** @throws {SFTPError} when the handle names no file that is open */
  getFile(handle: Buffer): OpenFile {
    const object = this.get(handle);
    if (object.kind !== "file") throw new SFTPError(StatusCode.FAILURE, "The handle is not of a file");
    return object;
  }

  /** @throws {SFTPError} when the handle names no directory that is open */
  getDirectory(handle: Buffer): OpenDirectory {
    const object = this.get(handle);
    if (object.kind !== "directory") throw new SFTPError(StatusCode.FAILURE, "The handle is not of a directory");
    return object;
  }

  /** Makes a handle name nothing from now on. The caller closes it, or `takeAll` gives it out. */
  take(handle: Buffer): OpenObject {
    const object = this.get(handle);
    this.#open.delete(handle.readUInt32BE());
    this.#leaving.add(object);
    return object;
  }

  /**
   * Closes what was taken out, as the client has asked.
   *
   * @param idle when nothing uses it any more; it never fails
   */
  close(object: OpenObject, idle?: MaybePromise<void>): MaybePromise<void> {
    this.#leaving.delete(object);
    const closed = whenDone(idle, () => closeObject(object, COMPLETED));
    if (!isThenable(closed)) return undefined;
    this.#pending++;
    return Promise.resolve(closed).finally(() => this.#pending--);
  }

  /**
   * Gives out all that is to be closed, at the end of the session. An object opened from now on is closed at once.
   *
   * @param outcome of files that the client has not closed
   */
  takeAll(outcome: FileOutcome): OpenObject[] {
    this.#end = outcome;
    const objects = [...this.#open.values(), ...this.#leaving];
    this.#open.clear();
    this.#leaving.clear();
    return objects;
  }
}

export function closeObject(object: OpenObject, outcome: FileOutcome): MaybePromise<void> {
  return object.kind === "file" ? object.transfer.end(outcome) : object.entries.return();
}
