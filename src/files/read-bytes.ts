import { FileError } from "./errors.js";
import type { FileHandle } from "./file-system.js";

/**
 * Reads into `buffer`, and believes no file system what cannot be.
 *
 * @returns how many bytes it read; 0 at the end of the file
 */
export async function readBytes(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  if (handle.read === undefined) throw new FileError("ENOTSUP");
  const count = await handle.read(buffer, position);
  if (!Number.isInteger(count) || count < 0 || count > buffer.length) {
    throw new RangeError(`a file system says it has read ${count} of ${buffer.length} bytes`);
  }
  return count;
}
