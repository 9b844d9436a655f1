import { readFileSync } from "node:fs";

// /proc gives times in USER_HZ, which is 100 on every Linux.
const ticksPerSecond = 100;

/** CPU seconds of a process and of those of its descendants that have ended and were waited for (proc(5), stat); 0 if it is gone. */
export function cpuSecondsWithReapedChildren(pid: number): number {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses and may hold spaces; utime is the 14th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
  return ((utime ?? 0) + (stime ?? 0) + (cutime ?? 0) + (cstime ?? 0)) / ticksPerSecond;
}

/** Bytes that a process has given to write(2) and its like, to sockets, pipes and /dev/null as well (proc(5), io). */
export function bytesWritten(pid: number): number {
  return Number(/^wchar: (\d+)$/m.exec(readOrEmpty(`/proc/${pid}/io`))?.[1] ?? 0);
}

/** Pids of the running children of a process, theirs, and so on. */
export function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

export function childrenOf(pid: number): number[] {
  return readOrEmpty(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

/** KiB of memory of a process, pages shared by n processes counted as 1/n each. */
export function proportionalSetSizeKiB(pid: number): number {
  const match = /^Pss:\s+(\d+) kB$/m.exec(readOrEmpty(`/proc/${pid}/smaps_rollup`));
  return Number(match?.[1] ?? 0);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // The process is gone.
  }
}
