import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { messageOf } from "../../base/is-error.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { requirePrivate, requireTrusted } from "./file-permissions.js";
import { UserFileError } from "./user-file-error.js";

/**
 * Without O_NONBLOCK, opening a pipe would keep a thread until somebody writes to it. Absent on systems that have no
 * such thing.
 */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** Bytes read at a time. */
const CHUNK = 65_536;

/** Milliseconds: file systems that keep times in steps of a second or two are the coarsest in use. */
const FRESH_FOR = 2_000;

export interface TrustedFileOptions {
  /** Bytes. */
  readonly maxFileSize: number;
  /** If true, only root, this process's user and `owner` may be able to change the file. */
  readonly strictModes: boolean;
  /** User id that may own the file and the folders above it, too. */
  readonly owner?: number | undefined;
  /** With it and `private`, others must not be able to read the file either. Default `public`. */
  readonly secrecy?: "public" | "private";
}

/** Tells one content of a file from the next. */
export interface FileVersion {
  readonly mark: string;
  /** It changed so lately that it may have changed again without a trace in its times, or be half written. */
  readonly fresh: boolean;
}

/** A regular file that decides about logins, opened and checked. All knowledge of it comes through one descriptor. */
export class TrustedFile {
  readonly version: FileVersion;
  readonly #handle: FileHandle;
  readonly #maxFileSize: number;

  private constructor(handle: FileHandle, stats: BigIntStats, maxFileSize: number) {
    this.version = versionOf(stats);
    this.#handle = handle;
    this.#maxFileSize = maxFileSize;
  }

  /**
   * @returns `undefined` where there is no such file
   * @throws {UserFileError} when it must not be used, or cannot be read
   */
  static async open(path: string, options: TrustedFileOptions): Promise<TrustedFile | undefined> {
    const handle = await openIfPresent(path);
    if (handle === undefined) return undefined;
    try {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw new UserFileError("it is not a regular file");
      if (options.strictModes) {
        await requireTrusted(path, stats, options.owner);
        if (options.secrecy === "private") requirePrivate("it", stats);
      }
      return new TrustedFile(handle, stats, options.maxFileSize);
    } catch (error) {
      await handle.close();
      throw unreadable(error);
    }
  }

  /**
   * Reads it to its end, which need not be where its size says.
   *
   * @throws {UserFileError} when it is too large, or changes meanwhile
   */
  async read(): Promise<Buffer> {
    try {
      const bytes = await this.#readAll();
      const { mark } = versionOf(await this.#handle.stat({ bigint: true }));
      if (mark !== this.version.mark) throw new UserFileError("it changes while it is read");
      return bytes;
    } catch (error) {
      throw unreadable(error);
    }
  }

  async #readAll(): Promise<Buffer> {
    const limit = this.#maxFileSize;
    const chunks: Buffer[] = [];
    for (let total = 0; ; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, limit + 1 - total));
      const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, bytesRead));
      total += bytesRead;
      if (total > limit) throw new UserFileError(`it is larger than ${limit} bytes`);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/**
 * @returns `undefined` where there is no such file
 * @throws {UserFileError} when it must not be used, or cannot be read
 */
export async function readTrustedFile(path: string, options: TrustedFileOptions): Promise<Buffer | undefined> {
  const file = await TrustedFile.open(path, options);
  try {
    return await file?.read();
  } finally {
    await file?.close();
  }
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, OPEN_FLAGS);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(error);
  }
}

function unreadable(error: unknown): UserFileError {
  if (error instanceof UserFileError) return error;
  const reason = messageOf(error);
  return new UserFileError(`it cannot be read: ${reason}`, { cause: error });
}

/** Its time of change is set by the kernel alone, and by every write, renaming and change of owner. */
function versionOf({ dev, ino, size, mtimeNs, ctimeNs, ctimeMs }: BigIntStats): FileVersion {
  return { mark: [dev, ino, size, mtimeNs, ctimeNs].join(" "), fresh: Date.now() - Number(ctimeMs) < FRESH_FOR };
}
