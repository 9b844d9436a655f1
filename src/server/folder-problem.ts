import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { messageOf } from "../base/is-error.js";
import { loggedPath } from "../base/logged-text.js";
import { systemErrorCode } from "../base/system-error-code.js";

/**
 * Why a folder cannot be served, with what to do; for the log. A folder that is not there is no problem where the one above
 * it is: it will be made.
 */
export async function folderProblem(path: string): Promise<string | undefined> {
  const folder = resolve(path);
  const found = await look(folder);
  if (found !== "missing") return found;
  let first = dirname(folder);
  if ((await look(first)) !== "missing") return look(first);
  while (first !== dirname(first) && (await look(dirname(first))) === "missing") first = dirname(first);
  return `the folder ${loggedPath(first)} is not there: make it`;
}

/** The same for a folder that nobody makes. */
export async function missingFolderProblem(path: string): Promise<string | undefined> {
  const folder = resolve(path);
  const found = await look(folder);
  return found === "missing" ? `the folder ${loggedPath(folder)} is not there: make it` : found;
}

async function look(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).isDirectory() ? undefined : `${loggedPath(path)} is not a folder`;
  } catch (error) {
    const code = systemErrorCode(error);
    return code === "ENOENT" ? "missing" : `${loggedPath(path)} cannot be used: ${code ?? messageOf(error)}`;
  }
}
