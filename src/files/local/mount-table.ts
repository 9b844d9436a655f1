import fs, { type Stats } from "node:fs";
import { decodeName } from "../path.js";

// The mounts and their places, as the kernel lists them for this process (proc(5), /proc/pid/mountinfo).

/** Milliseconds for which the list is believed. */
const LIST_AGE = 1000;

const NONE: ReadonlySet<string> = new Set();

/** By the directories that they lie in, whose paths are latin1. */
let mountPoints = new Map<string, Set<string>>();
/** Numbers of devices (`st_dev`). */
let processDevices = new Set<number>();
let listedAt = Number.NEGATIVE_INFINITY;

/**
 * Names in a directory at which something else is mounted. To look at one of them asks what is mounted there.
 *
 * @param location of the directory, by the kernel's word, as latin1
 */
export function mountPointsIn(location: string): ReadonlySet<string> {
  update();
  return mountPoints.get(location) ?? NONE;
}

/** Whether a file shows what processes are and have, as those in /proc do. */
export function isOfProcesses({ dev }: Stats): boolean {
  update();
  return processDevices.has(dev);
}

function update(): void {
  const now = performance.now();
  if (now - listedAt < LIST_AGE) return;
  listedAt = now;
  try {
    read(fs.readFileSync("/proc/self/mountinfo", "latin1"));
  } catch {
    // Too many open files: what was mounted is mounted still.
  }
}

function read(mountinfo: string): void {
  mountPoints = new Map();
  processDevices = new Set();
  for (const line of mountinfo.split("\n")) {
    const [, , device = "", , escapedPath = ""] = line.split(" ", 5);
    const path = withoutEscapes(escapedPath);
    const slash = path.lastIndexOf("/");
    const directory = path.slice(0, slash) || "/";
    const names = mountPoints.get(directory) ?? new Set();
    mountPoints.set(directory, names.add(decodeName(Buffer.from(path.slice(slash + 1), "latin1"))));
    if (line.includes(" - proc ")) processDevices.add(deviceNumber(device));
  }
}

/** Spaces and the like are written as octal numbers. */
function withoutEscapes(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** A device `major:minor` as Linux writes it into `st_dev` (makedev(3)); no disk, it is of major number 0. */
function deviceNumber(device: string): number {
  const minor = Number(device.split(":")[1]);
  return (minor & 0xff) | ((minor & ~0xff) << 12);
}
