import { type BigIntStats, constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { KeyError } from "../crypto/keys/key-error.js";

/** What tells one content of a file from the next. */
export interface FileVersion {
  readonly mark: string;
  /** It changed so lately that it may have changed again without a trace in its times, or be half written. */
  readonly fresh: boolean;
}

export interface FileContent {
  readonly version: FileVersion;
  readonly bytes: Buffer;
}

/** Milliseconds: file systems that keep times in steps of a second or two are the coarsest in use. */
const FRESH_FOR = 2000;

/** @throws {NodeJS.ErrnoException} when there is no such file, or it cannot be reached */
export async function fileVersion(path: string): Promise<FileVersion> {
  return versionOf(await stat(path, { bigint: true }));
}

/**
 * Reads a file of at most `maximumSize` bytes.
 *
 * @throws {NodeJS.ErrnoException}
 * @throws {KeyError} `unreadable` when it is no file, too large, or changes meanwhile
 */
export async function readVersion(path: string, maximumSize: number): Promise<FileContent> {
  // Without O_NONBLOCK, opening a FIFO would wait for a writer.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const status = await file.stat({ bigint: true });
  if (!status.isFile()) throw new KeyError("unreadable", "it is not a file");
  if (status.size > BigInt(maximumSize)) throw new KeyError("unreadable", `it has more than ${maximumSize} bytes`);
  const bytes = Buffer.allocUnsafeSlow(Number(status.size));
  for (let length = 0; length < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const after = versionOf(await file.stat({ bigint: true }));
  const version = versionOf(status);
  if (after.mark !== version.mark) throw new KeyError("unreadable", "it changes while it is read");
  return { version, bytes };
}

/** Its time of change is set by the kernel alone, and by every write, renaming and change of owner. */
function versionOf({ dev, ino, size, mtimeNs, ctimeNs, ctimeMs }: BigIntStats): FileVersion {
  return {
    mark: [dev, ino, size, mtimeNs, ctimeNs].join(" "),
    fresh: Math.abs(Date.now() - Number(ctimeMs)) < FRESH_FOR,
  };
}
