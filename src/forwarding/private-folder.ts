import type { Stats } from "node:fs";
import { chown, lstat, mkdtemp, rmdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Others may put files into a folder with this bit, and rename none but their own: /tmp. */
const STICKY = 0o1000;

/** A user and a group; -1 where it stays the one of this process. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A new folder for temporary files, which no user but its owner can enter. */
export class PrivateFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** The longest path that a file with this name can have in such a folder, bytes. */
  static pathLength(prefix: string, name: string): number {
    return Buffer.byteLength(join(tmpdir(), `${prefix}XXXXXX`, name));
  }

  /**
   * Makes the folder where the system has its temporary files (TMPDIR).
   *
   * @throws {Error} where others could put a folder of their own in its place, or enter it
   */
  static async make(prefix: string): Promise<PrivateFolder> {
    const parent = tmpdir();
    if (!isSafeParent(await stat(parent))) throw new Error(`${parent} is a folder in which others may rename files`);
    const folder = new PrivateFolder(await mkdtemp(join(parent, prefix)));
    if (isPrivate(await lstat(folder.path))) return folder;
    await folder.remove();
    throw new Error(`${folder.path} was not made with mode 0700`);
  }

  /** To be called when all is in it: from now on the new owner may put links there. */
  async giveTo({ uid, gid }: Owner): Promise<void> {
    await chown(this.path, uid, gid);
  }

  /** Removes the folder, which has to be empty; never rejects. */
  async remove(): Promise<void> {
    await rmdir(this.path).catch(() => {});
  }
}

function isSafeParent({ uid, mode }: Stats): boolean {
  return (uid === 0 || isOurs(uid)) && ((mode & 0o022) === 0 || (mode & STICKY) !== 0);
}

function isPrivate(stats: Stats): boolean {
  return stats.isDirectory() && isOurs(stats.uid) && (stats.mode & 0o777) === 0o700;
}

/** The same user, where the system has users. */
function isOurs(uid: number): boolean {
  return process.geteuid === undefined || process.geteuid() === uid;
}
