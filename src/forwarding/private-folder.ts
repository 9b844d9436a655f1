import { constants, type Stats } from "node:fs";
import { chown, lstat, mkdtemp, open, rmdir, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileOwner } from "../session/file-owner.js";

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/** Others may put files into a folder with this bit, and rename none but their own: /tmp. */
const STICKY = 0o1000;

/** The number by which chown(2) leaves an owner as it is. */
const UNCHANGED = -1;

/** A folder of a session, of mode 0700, with few files in it, for programs that may run as another user. */
export class PrivateFolder {
  readonly #path: string;
  readonly #made: Stats;
  readonly #names: string[] = [];
  #givenAway = false;

  private constructor(path: string, made: Stats) {
    this.#path = path;
    this.#made = made;
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
    const path = await mkdtemp(join(parent, prefix));
    const made = await lstat(path);
    if (isPrivate(made)) return new PrivateFolder(path, made);
    await rmdir(path);
    throw new Error(`${path} was not made with mode 0700`);
  }

  /** @returns the path for a file, which is removed with the folder */
  fileNamed(name: string): string {
    this.#names.push(name);
    return join(this.#path, name);
  }

  /** Makes a file of mode 0600. @returns its path */
  async writeFile(name: string, contents: Uint8Array): Promise<string> {
    const path = this.fileNamed(name);
    await writeFile(path, contents, { flag: "wx", mode: 0o600 });
    return path;
  }

  /** Gives it to another user, whole: nothing may be made in it afterwards, since its owner could put a link there. */
  async giveTo({ uid = UNCHANGED, gid = UNCHANGED }: FileOwner): Promise<void> {
    if (uid === UNCHANGED && gid === UNCHANGED) return;
    for (const name of this.#names) await chown(join(this.#path, name), uid, gid);
    this.#givenAway = true;
    await chown(this.#path, uid, gid);
  }

  /** Removes what was made here. What programs have put there besides makes it fail, and stays. */
  async remove(): Promise<void> {
    if (this.#givenAway) await this.#takeBack();
    for (const name of this.#names) await unlink(join(this.#path, name)).catch(ignoreMissing);
    await rmdir(this.#path);
  }

  /** Then nobody else can put another folder in its place, where the folder for temporary files has its sticky bit. */
  async #takeBack(): Promise<void> {
    // Not by its path, at which there may be anything by now, which would get another owner.
    const folder = await open(this.#path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      this.#checkSame(await folder.stat());
      await folder.chown(this.#made.uid, this.#made.gid);
    } finally {
      await folder.close();
    }
    this.#checkSame(await lstat(this.#path));
  }

  #checkSame({ dev, ino }: Stats): void {
    if (dev !== this.#made.dev || ino !== this.#made.ino) throw new Error(`${this.#path} is another folder now`);
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

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
