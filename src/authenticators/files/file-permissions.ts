import type { BigIntStats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UserFileError } from "./user-file-error.js";

const GROUP_AND_OTHERS = 0o077;
const WRITABLE_BY_GROUP_OR_OTHERS = 0o022;
const STICKY = 0o1000;

/** Who owns a file and what they and others may do, as `stat` tells it. */
export interface Ownership {
  readonly uid: number | bigint;
  readonly mode: number | bigint;
}

/**
 * A secret of ours that others can read is no longer one. A file of another owner (root's, mounted for a service) is that
 * owner's decision.
 *
 * @param what the file is called in the message
 * @throws {UserFileError}
 */
export function requirePrivate(what: string, { uid, mode }: Ownership): void {
  if (process.getuid === undefined || Number(uid) !== process.getuid()) return;
  if ((Number(mode) & GROUP_AND_OTHERS) === 0) return;
  throw new UserFileError(`${what} is open to other users (mode ${octal(mode)}): chmod 600 it`);
}

/**
 * Who can change a file decides who logs in. As StrictModes of sshd_config(5): the file and all folders above it, links
 * resolved, belong to root, to the user of this process or to `owner`, and no group or other can write them. Other than to
 * sshd, a folder like /tmp is no fault: there nobody can replace what belongs to another.
 *
 * @param opened what was found at `path`
 * @throws {UserFileError}
 */
export async function requireTrusted(path: string, opened: BigIntStats, owner?: number): Promise<void> {
  if (process.getuid === undefined) return;
  const trusted = [0, process.getuid(), ...(owner === undefined ? [] : [owner])];
  requireUnwritable("it", opened, trusted);
  const canonical = await realpath(path);
  // What was opened has to be what stands at the end of the folders that are about to be checked.
  const there = await stat(canonical, { bigint: true });
  if (there.dev !== opened.dev || there.ino !== opened.ino) throw new UserFileError("it was replaced meanwhile");
  for (let file = canonical; file !== dirname(file); ) {
    file = dirname(file);
    const folder = await stat(file);
    requireUnwritable(`the folder ${file}`, folder, trusted, folder.mode & STICKY);
  }
}

function requireUnwritable(what: string, { uid, mode }: Ownership, trusted: readonly number[], sticky = 0): void {
  if (!trusted.includes(Number(uid))) throw new UserFileError(`${what} belongs to another user (${uid})`);
  if ((Number(mode) & WRITABLE_BY_GROUP_OR_OTHERS) === 0 || sticky !== 0) return;
  throw new UserFileError(`other users can write ${what} (mode ${octal(mode)}): chmod go-w it`);
}

function octal(mode: number | bigint): string {
  return (Number(mode) & 0o7777).toString(8).padStart(4, "0");
}
