import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Permission bits with which others than the owner can write a file, and that which keeps them from renaming what is others'. */
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Somebody who can write a file that decides, or a folder above it, can do all that the file forbids.
 *
 * @throws {Error} naming the file or the folder, with what to do
 */
export async function requireTrusted(path: string): Promise<void> {
  if (process.getuid === undefined) return;
  const trusted = [0, process.getuid()];
  const file = await realpath(path);
  for (let place = file; ; place = dirname(place)) {
    const { uid, mode } = await stat(place);
    const shown = place === file ? path : place;
    if (!trusted.includes(uid)) throw new Error(`${shown} belongs to another user (${uid})`);
    const isOpen = (mode & WRITABLE_BY_OTHERS) !== 0 && (place === file || (mode & STICKY) === 0);
    if (isOpen) throw new Error(`other users can write ${shown}: chmod go-w ${shown}`);
    if (place === dirname(place)) return;
  }
}
