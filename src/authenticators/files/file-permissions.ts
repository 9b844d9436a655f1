import { UserFileError } from "./user-file-error.js";

const GROUP_AND_OTHERS = 0o077;
const WRITABLE_BY_GROUP_OR_OTHERS = 0o022;

/** Who owns a file and what they and others may do, as `stat` tells it. */
export interface Ownership {
  readonly uid: number | bigint;
  readonly mode: number | bigint;
}

/**
 * A private key of ours that others can read is no longer private. A file of another owner (root's, mounted for a
 * service) is that owner's decision.
 *
 * @throws {UserFileError}
 */
export function requirePrivate(path: string, { uid, mode }: Ownership): void {
  if (process.getuid === undefined || Number(uid) !== process.getuid()) return;
  if ((Number(mode) & GROUP_AND_OTHERS) === 0) return;
  throw new UserFileError(`${path} is open to other users (mode ${octal(mode)}): chmod 600 it`);
}

/**
 * Who can write this file decides who logs in.
 *
 * @throws {UserFileError}
 */
export function requireTrusted(path: string, { uid, mode }: Ownership): void {
  if (process.getuid === undefined) return;
  if (Number(uid) !== process.getuid() && Number(uid) !== 0) {
    throw new UserFileError(`${path} belongs to another user`);
  }
  if ((Number(mode) & WRITABLE_BY_GROUP_OR_OTHERS) === 0) return;
  throw new UserFileError(`${path} can be written by other users (mode ${octal(mode)}): chmod go-w it`);
}

function octal(mode: number | bigint): string {
  return (Number(mode) & 0o777).toString(8).padStart(4, "0");
}
