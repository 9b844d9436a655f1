import type { Stats } from "node:fs";
import { StartError } from "./errors.js";

const GROUP_AND_OTHERS = 0o077;
const WRITABLE_BY_GROUP_OR_OTHERS = 0o022;

/**
 * A private key of ours that others can read is no longer private. A file of another owner (root's, mounted for a
 * service) is that owner's decision.
 *
 * @throws {StartError}
 */
export function requirePrivate(path: string, stats: Stats): void {
  if (process.getuid === undefined || stats.uid !== process.getuid()) return;
  if ((stats.mode & GROUP_AND_OTHERS) === 0) return;
  throw new StartError(`${path} is open to other users (mode ${mode(stats)}): chmod 600 it`);
}

/**
 * Who can write this file decides who logs in.
 *
 * @throws {StartError}
 */
export function requireTrusted(path: string, stats: Stats): void {
  if (process.getuid === undefined) return;
  if (stats.uid !== process.getuid() && stats.uid !== 0) throw new StartError(`${path} belongs to another user`);
  if ((stats.mode & WRITABLE_BY_GROUP_OR_OTHERS) === 0) return;
  throw new StartError(`${path} can be written by other users (mode ${mode(stats)}): chmod go-w it`);
}

function mode(stats: Stats): string {
  return (stats.mode & 0o777).toString(8).padStart(4, "0");
}
