import { isThenable, type MaybePromise } from "../base/maybe-promise.js";
import type { FileHandle } from "./file-system.js";

/** Bytes that an open file has; `undefined` where it does not tell, or cannot be asked. */
export function sizeOf(handle: Pick<FileHandle, "stat">): MaybePromise<number | undefined> {
  const unknown = () => undefined;
  try {
    const attributes = handle.stat?.();
    return isThenable(attributes) ? attributes.then(({ size }) => size, unknown) : attributes?.size;
  } catch {
    return unknown();
  }
}
