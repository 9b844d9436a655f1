import { type MaybePromise, whenDone } from "../base/maybe-promise.js";
import { FileError } from "./errors.js";
import type { FileHandle } from "./file-system.js";

/**
 * Reads into `buffer`, and refuses a number of bytes that cannot be right.
 *
 * @returns how many bytes it read; 0 at the end of the file
 */
export function readBytes(handle: Pick<FileHandle, "read">, buffer: Buffer, position: number): MaybePromise<number> {
  if (handle.read === undefined) throw new FileError("ENOTSUP");
  return whenDone(handle.read(buffer, position), (count) => {
    if (!Number.isInteger(count) || count < 0 || count > buffer.length) {
      throw new RangeError(`a file system says it has read ${count} of ${buffer.length} bytes`);
    }
    return count;
  });
}
