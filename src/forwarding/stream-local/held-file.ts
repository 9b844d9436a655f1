import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { close, fstat, lstat, openFollowing, readlink } from "../../files/local/system-calls.js";
import { isInside } from "./socket-roots.js";

/** As StrictModes of sshd_config(5) looks at it. Windows has no such bits. */
const WRITABLE_BY_OTHERS = process.platform === "win32" ? 0 : 0o022;

/** Linux's O_PATH, which Node.js does not name: a descriptor that only says where something is. */
const O_PATH = 0o10000000;

/** A path leads out of the roots. */
export class OutsideRootsError extends Error {
  override readonly name = "OutsideRootsError";
}

/** A file that was found at a path, for the calls that are to come. */
export interface HeldFile {
  /** Leads to the file. */
  readonly path: string;
  readonly stats: Stats;
  release(): Promise<void>;
}

/**
 * Finds out what is at a path, links followed, and whether it lies in one of the roots.
 *
 * On Linux it is held by a descriptor from then on and reached as `/proc/self/fd/N`: nothing that happens to the names can
 * make the path that is returned lead elsewhere. On other systems it is a path without links, and a user who may write to one of
 * its folders can put a link there before it is used.
 *
 * @throws {OutsideRootsError}
 * @throws the system's error
 */
export async function holdFile(path: string, roots: readonly string[]): Promise<HeldFile> {
  const locations = await locationsOf(roots);
  const inLocations = (name: string) => locations.some((root) => isInside(root, name));
  // The names alone are enough to refuse most of what is not allowed, without a look at the disk.
  const isNamed = inLocations(bytesOf(path)) || roots.some((root) => isInside(root, path));
  if (!isNamed) throw new OutsideRootsError();
  const held = await hold(path);
  if (inLocations(held.location)) return held;
  await held.release();
  throw new OutsideRootsError();
}

/**
 * The same wherever the path leads: it is one of this server's own.
 *
 * @throws the system's error
 */
export function holdOwnFile(path: string): Promise<HeldFile> {
  return hold(path);
}

function hold(path: string): Promise<LocatedFile> {
  return process.platform === "linux" ? holdByDescriptor(path) : holdByName(path);
}

/**
 * @returns where the roots are. One that is not there has nothing in it
 * @throws {Error} where other users could put a link, or another socket, into a root
 */
async function locationsOf(roots: readonly string[]): Promise<readonly string[]> {
  const locations = await Promise.all(roots.map(locationOf));
  return locations.filter((location) => location !== undefined);
}

async function locationOf(root: string): Promise<string | undefined> {
  const location = await realpath(root, "latin1").catch(() => undefined);
  if (location === undefined) return undefined;
  const { mode, uid } = await stat(Buffer.from(location, "latin1"));
  const isOurs = process.geteuid === undefined || uid === 0 || uid === process.geteuid();
  if (isOurs && (mode & WRITABLE_BY_OTHERS) === 0) return location;
  throw new Error("a folder of socketRoots can be written by other users");
}

/** A path as locations are compared: as latin1, a character for each byte, since names need not be UTF-8. */
function bytesOf(path: string): string {
  return Buffer.from(path).toString("latin1");
}

interface LocatedFile extends HeldFile {
  /** A path without links, as latin1. */
  readonly location: string;
}

async function holdByDescriptor(path: string): Promise<LocatedFile> {
  const descriptor = await openFollowing(path, O_PATH);
  const release = () => close(descriptor).catch(() => {});
  try {
    const held = `/proc/self/fd/${descriptor}`;
    const location = (await readlink(held, "buffer")).toString("latin1");
    return { path: held, location, stats: await fstat(descriptor), release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function holdByName(path: string): Promise<LocatedFile> {
  const held = await realpath(path);
  return { path: held, location: bytesOf(held), stats: await lstat(held), release: async () => {} };
}
