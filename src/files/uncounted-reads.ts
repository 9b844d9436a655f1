import type { MaybePromise } from "../base/maybe-promise.js";
import type { FileHandle } from "./file-system.js";
import { readBytes } from "./read-bytes.js";

/** The way to read something that the client does not get, from a handle that counts what its client gets. */
export interface UncountedReads {
  /** As `read` of the handle, but neither the bytes nor a failure count. */
  read(buffer: Buffer, position: number): MaybePromise<number>;
  /** Says that the client got bytes after all that were read so. */
  count(length: number): void;
  /** As `read` of the handle, for a hash. */
  readToHash(buffer: Buffer, position: number): MaybePromise<number>;
}

/**
 * By the handle itself, not as a property of it: a handle that a program derives from it may have a `read` of its own, which must be used.
 */
const readers = new WeakMap<FileHandle, UncountedReads>();

/** Says how to read from a handle without a count. Returns the handle. */
export function withUncountedReads(handle: FileHandle, reads: UncountedReads): FileHandle {
  readers.set(handle, reads);
  return handle;
}

/** The same for a handle whose `read` is no more than that of another one. */
export function passUncountedReads(from: FileHandle, to: FileHandle): FileHandle {
  const reads = readers.get(from);
  return reads === undefined ? to : withUncountedReads(to, reads);
}

/** The handle to read from where reads must not count. */
export function uncounted(handle: FileHandle): Pick<FileHandle, "read"> {
  return readers.get(handle) ?? handle;
}

/** Counts what was read from `uncounted` and given to the client. */
export function countRead(handle: FileHandle, length: number): void {
  readers.get(handle)?.count(length);
}

/** Reads for a hash as `readBytes` does. It does not count as a transfer: the client gets no content. */
export function readToHash(handle: FileHandle, buffer: Buffer, position: number): MaybePromise<number> {
  return readers.get(handle)?.readToHash(buffer, position) ?? readBytes(handle, buffer, position);
}
