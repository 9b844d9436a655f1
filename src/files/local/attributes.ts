import { constants, type Stats } from "node:fs";
import type { AttributeChanges, FileAttributes, FileType } from "../file-system.js";

/** The calls that change one file. */
export interface AttributeSetters {
  truncate(size: number): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  chmod(permissions: number): Promise<void>;
  utimes(accessTime: number, modifyTime: number): Promise<void>;
}

export function attributesOf(
  stats: Pick<Stats, "mode" | "size" | "atimeMs" | "mtimeMs" | "uid" | "gid" | "nlink">,
): FileAttributes {
  return {
    type: typeOf(stats.mode),
    size: stats.size,
    permissions: stats.mode & 0o7777,
    accessTime: stats.atimeMs / 1000,
    modifyTime: stats.mtimeMs / 1000,
    uid: stats.uid,
    gid: stats.gid,
    links: stats.nlink,
  };
}

/**
 * Makes every change that can be made; one that fails does not keep the others from it, as in OpenSSH.
 * A new owner takes set-user-ID away and a new size changes the times: hence the order.
 *
 * @throws the first failure
 */
export async function applyChanges(changes: AttributeChanges, setters: AttributeSetters): Promise<void> {
  const { size, owner, permissions, times } = changes;
  const failures: unknown[] = [];
  const attempt = (change: Promise<void>) => change.catch((error: unknown) => failures.push(error));
  if (size !== undefined) await attempt(setters.truncate(size));
  if (owner !== undefined) await attempt(setters.chown(owner.uid, owner.gid));
  if (permissions !== undefined) await attempt(setters.chmod(permissions & 0o7777));
  if (times !== undefined) await attempt(setters.utimes(times.accessTime, times.modifyTime));
  if (failures.length > 0) throw failures[0];
}

function typeOf(mode: number): FileType {
  switch (mode & constants.S_IFMT) {
    case constants.S_IFREG:
      return "file";
    case constants.S_IFDIR:
      return "directory";
    case constants.S_IFLNK:
      return "symlink";
    case constants.S_IFIFO:
      return "fifo";
    case constants.S_IFSOCK:
      return "socket";
    case constants.S_IFCHR:
      return "character-device";
    case constants.S_IFBLK:
      return "block-device";
    default:
      return "unknown";
  }
}
