import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isError } from "../../base/is-error.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { ProgramStartError } from "../program-start-error.js";

/**
 * Finds the file of a program as exec(3) does: a name without a slash is looked for in the directories of `searchPath`.
 *
 * @returns its path. Rejects with a ProgramStartError
 */
export async function findProgram(file: string, cwd: string, searchPath = ""): Promise<string> {
  const folders = file.includes("/") ? [cwd] : searchPath.split(":").map((folder) => resolve(cwd, folder));
  let failure: unknown;
  for (const folder of folders) {
    const path = resolve(folder, file);
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path;
      failure ??= new Error(`${path} is not a file`);
    } catch (error) {
      // An error that a program may not be run tells more than one that it is missing elsewhere.
      if (!isError(failure) || systemErrorCode(failure) === "ENOENT") failure = error;
    }
  }
  throw new ProgramStartError(failure);
}
