import type { MaybePromise } from "../../base/maybe-promise.js";
import { checkNumber, checkOptions, checkSignal } from "../../base/option-checks.js";
import { isMissing, LinkInPathError } from "../errors.js";
import type { FileSystem } from "../file-system.js";
import { isDots, joinPath, MAX_PATH_LENGTH } from "../path.js";
import { KEPT_FOR } from "./atomic-uploads.js";
import { call, checkFileSystem } from "./methods.js";
import { removeLeft } from "./remove-left.js";
import { isReserved } from "./staged-names.js";
import { isExpired } from "./staged-upload.js";
import { UploadRegister } from "./upload-register.js";

/** Options of `sweepUploads`. */
export interface SweepOptions {
  /** Seconds that what is left of an upload is kept, from the last change on. Default: a week. */
  readonly keepSeconds?: number;
  /** Ends the sweep before the next directory. */
  readonly signal?: AbortSignal;
}

/**
 * Removes what is left of the uploads of all users in a whole tree: at the start of a program, say, or each night.
 *
 * @param fileSystem that `atomicUploads` was given
 * @returns the number of files that were removed
 * @throws the error of a directory that cannot be listed, or of a file that cannot be removed
 */
export async function sweepUploads(fileSystem: FileSystem, options: SweepOptions = {}): Promise<number> {
  checkFileSystem("fileSystem", fileSystem);
  const register = UploadRegister.of(fileSystem);
  return sweepTree(fileSystem, "/", sweepSettings(options), (path) => ({ fileSystem, register, path }));
}

export interface SweepSettings {
  readonly keepSeconds: number;
  readonly signal: AbortSignal | undefined;
}

/** A left upload that is to be removed. Uploads that go on in the same file system must know of it. */
export interface LeftUpload {
  readonly fileSystem: FileSystem;
  /** Of the uploads that are under way there. */
  readonly register: UploadRegister;
  /** Its path there. */
  readonly path: string;
}

/** @throws {ConfigurationError} */
export function sweepSettings(options: SweepOptions): SweepSettings {
  const { keepSeconds = KEPT_FOR, signal } = checkOptions(options, ["keepSeconds", "signal"]);
  checkNumber("keepSeconds", keepSeconds, 0, Number.MAX_SAFE_INTEGER);
  return { keepSeconds, signal: signal && checkSignal("signal", signal) };
}

/**
 * @param fileSystem that is listed
 * @param start the directory to start in
 * @param find tells where a file is to be removed that was found at a path
 * @returns the number of files that were removed
 */
export async function sweepTree(
  fileSystem: FileSystem,
  start: string,
  { keepSeconds, signal }: SweepSettings,
  find: (path: string) => MaybePromise<LeftUpload>,
): Promise<number> {
  const directories = [start];
  let removed = 0;
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    signal?.throwIfAborted();
    try {
      for await (const { name, attributes } of call(fileSystem, "readdir", directory)) {
        if (isDots(name)) continue;
        const path = joinPath(directory, name);
        if (attributes.type === "directory" && path.length <= MAX_PATH_LENGTH) directories.push(path);
        if (attributes.type !== "file" || !isReserved(name) || !isExpired(attributes, keepSeconds)) continue;
        const left = await find(path);
        if (await removeLeft(left.fileSystem, left.register, left.path, keepSeconds)) removed++;
      }
    } catch (error) {
      if (!isMissing(error) && !(error instanceof LinkInPathError)) throw error;
    }
  }
  return removed;
}
