import type { BigIntStats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UserFileError } from "./user-file-error.js";

const GROUP_AND_OTHERS = 0o077;
const WRITABLE_BY_GROUP_OR_OTHERS = 0o022;
const STICKY = 0o1000;

/** The owner of a file and its permissions, as `stat` tells them. */
export interface Ownership {
  readonly uid: number | bigint;
  readonly mode: number | bigint;
}

/**
 * A secret of ours that others can read is no longer one. A file of another owner (root's, mounted for a service) is
 * that owner's decision.
 *
 * @param what the name of the file in the message
 * @throws {UserFileError}
 */
export function requirePrivate(what: string, { uid, mode }: Ownership): void {
  if (process.getuid === undefined || Number(uid) !== process.getuid()) return;
  if ((Number(mode) & GROUP_AND_OTHERS) === 0) return;
  throw new UserFileError(`${what} is open to other users (mode ${octal(mode)}): chmod 600 it`);
}

/**
 * Anybody who can change a file decides about logins. As with StrictModes of sshd_config(5), the file and all folders above
 * it, links resolved, belong to root, to the user of this process or to `owner`, and no group or other can write them.
 * Unlike sshd, this accepts a folder like /tmp: there nobody can replace a file of another user.
 *
 * @param opened the file that was found at `path`
 * @throws {UserFileError} with all that is wrong, so that it can be mended in one go
 */
export async function requireTrusted(path: string, opened: BigIntStats, owner?: number): Promise<void> {
  if (process.getuid === undefined) return;
  const trusted = [0, process.getuid(), ...(owner === undefined ? [] : [owner])];
  const problems = problemsOf("it", opened, trusted);
  const canonical = await realpath(path);
  // The opened file has to be the one at the end of the folders that are about to be checked.
  const there = await stat(canonical, { bigint: true });
  if (there.dev !== opened.dev || there.ino !== opened.ino) throw new UserFileError("it was replaced meanwhile");
  for (let file = canonical; file !== dirname(file); ) {
    file = dirname(file);
    const folder = await stat(file);
    problems.push(...problemsOf(`the folder ${file}`, folder, trusted, folder.mode & STICKY));
  }
  if (problems.length > 0) throw new UserFileError(problems.join("; "));
}

function problemsOf(what: string, { uid, mode }: Ownership, trusted: readonly number[], sticky = 0): string[] {
  if (!trusted.includes(Number(uid))) return [`${what} belongs to another user (${uid})`];
  if ((Number(mode) & WRITABLE_BY_GROUP_OR_OTHERS) === 0 || sticky !== 0) return [];
  return [`other users can write ${what} (mode ${octal(mode)}): chmod go-w it`];
}

function octal(mode: number | bigint): string {
  return (Number(mode) & 0o7777).toString(8).padStart(4, "0");
}
