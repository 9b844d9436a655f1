import { lstat, mkdir, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf } from "../../base/is-error.js";
import { loggedPath, loggedText } from "../../base/logged-text.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { NoHomeError } from "./no-home-error.js";

/**
 * Names of users that are names of folders as well: letters and digits of ASCII, and `_`, `.`, `@`, `+`, `-` where they mean
 * nothing to any system. No separator, no leading or trailing dot, and nothing that a disk might take for another name.
 */
const HOME_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.@+-]{0,62}[A-Za-z0-9_@+-])?$/;

/** Others see nothing of a home that is made. */
const HOME_PERMISSIONS = 0o700;

/** Whether a user of this name can have a home. */
export function isHomeName(user: string): boolean {
  return HOME_NAME.test(user);
}

/**
 * The folder of a user in `root`.
 *
 * @param create makes it if it is not there
 * @throws {NoHomeError} when the name of the user is not one for a folder, or the folder is not there, or cannot be used
 */
export async function homeFolder(root: string, user: string, create: boolean): Promise<string> {
  if (!isHomeName(user)) {
    throw new NoHomeError(`${loggedText(JSON.stringify(user))} is no name for a home`, { reason: "name" });
  }
  const path = join(root, user);
  const shown = loggedPath(path);
  if (create) await make(path, root);
  const found = await inHome(path, () => lstat(path));
  // A link might lead into somebody else's home.
  if (!found.isDirectory()) throw new NoHomeError(`${shown} is not a folder`);
  // Where a disk takes several spellings for one name, ANN would be in the home of ann.
  const name = basename(await inHome(path, () => realpath(path)));
  if (name !== user) throw new NoHomeError(`${shown} is spelled ${loggedText(name)} on the disk`);
  return path;
}

async function make(path: string, root: string): Promise<void> {
  try {
    await mkdir(path, HOME_PERMISSIONS);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EEXIST") return;
    if (code === "ENOENT") throw new NoHomeError(`the folder ${loggedPath(root)} is not there: make it`);
    throw new NoHomeError(`${loggedPath(path)} cannot be made: ${code ?? messageOf(error)}`, { cause: error });
  }
}

async function inHome<T>(path: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    const code = systemErrorCode(error);
    const reason = code === "ENOENT" ? "is not there" : `cannot be used: ${code ?? messageOf(error)}`;
    throw new NoHomeError(`${loggedPath(path)} ${reason}`, { cause: error });
  }
}
