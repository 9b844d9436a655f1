import fs from "node:fs";
import { decodeName } from "../path.js";
import { statfsFollowing } from "./system-calls.js";

/** Kinds of file systems (statfs(2), `f_type`) that keep their files on this machine. */
const KINDS_OF_THIS_MACHINE = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0xf2f52010, // F2FS
  0x2fc12fc1, // ZFS
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
]);

/** What a directory of Linux is mounted from. */
export interface Mount {
  /** The kernel's number of the mount; `undefined` where it does not tell. */
  readonly id: string | undefined;
  readonly isOfThisMachine: boolean;
}

/** @param descriptor of a directory */
export async function mountOf(descriptor: number): Promise<Mount> {
  const { type } = await statfsFollowing(`/proc/self/fd/${descriptor}`);
  return { id: mountId(descriptor), isOfThisMachine: KINDS_OF_THIS_MACHINE.has(type) };
}

/** The kernel knows without a look at the disk. */
export function mountId(descriptor: number): string | undefined {
  try {
    return /^mnt_id:\s*(\d+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
  } catch {
    return undefined; // too many open files
  }
}

/** Milliseconds for which the list of mount points is believed. */
const LIST_AGE = 1000;

const NONE: ReadonlySet<string> = new Set();

let mountPoints: ReadonlyMap<string, ReadonlySet<string>> = new Map();
let listedAt = Number.NEGATIVE_INFINITY;

/**
 * Names in a directory at which something else is mounted. To look at one of them asks what is mounted there.
 *
 * @param location of the directory, by the kernel's word, as latin1
 */
export function mountPointsIn(location: string): ReadonlySet<string> {
  const now = performance.now();
  if (now - listedAt > LIST_AGE) {
    listedAt = now;
    try {
      mountPoints = parseMountPoints(fs.readFileSync("/proc/self/mountinfo", "latin1"));
    } catch {
      // Too many open files: those that were there are there still.
    }
  }
  return mountPoints.get(location) ?? NONE;
}

/** By the directories that they lie in. The fifth field of a line is the path, with some characters as octal numbers. */
function parseMountPoints(mountinfo: string): ReadonlyMap<string, ReadonlySet<string>> {
  const points = new Map<string, Set<string>>();
  for (const line of mountinfo.split("\n")) {
    const [, , , , escaped = ""] = line.split(" ", 5);
    const path = escaped.replaceAll(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
    const slash = path.lastIndexOf("/");
    const directory = path.slice(0, slash) || "/";
    const names = points.get(directory) ?? new Set();
    points.set(directory, names.add(decodeName(Buffer.from(path.slice(slash + 1), "latin1"))));
  }
  return points;
}
