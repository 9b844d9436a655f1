import type { MaybePromise } from "../base/maybe-promise.js";
import { FileError } from "./errors.js";
import type { FileHandle, FileSystem, OpenOptions } from "./file-system.js";

type Method = NonNullable<FileSystem["open"]>;
type PromptOpen = (fileSystem: FileSystem, ...parameters: Parameters<Method>) => MaybePromise<FileHandle>;

/** By the method itself: a subclass that overrides the method has no prompt form, so that its own is called. */
const promptForms = new WeakMap<Method, PromptOpen>();

/** Gives an `async` method a form that opens at once, where that can be. The form may throw. */
export function givePromptForm(method: Method, open: PromptOpen): void {
  promptForms.set(method, open);
}

/**
 * Opens a file at once where the file system can.
 *
 * @throws {FileError} "operation unsupported" where it opens none
 */
export function openPromptly(fileSystem: FileSystem, path: string, options: OpenOptions): MaybePromise<FileHandle> {
  const { open } = fileSystem;
  if (open === undefined) throw new FileError("ENOTSUP");
  const promptForm = promptForms.get(open);
  return promptForm === undefined ? open.call(fileSystem, path, options) : promptForm(fileSystem, path, options);
}
