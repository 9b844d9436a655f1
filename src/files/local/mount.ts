import fs from "node:fs";
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

/** The mount that a directory of Linux lies in. */
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
