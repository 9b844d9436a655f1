import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Direction } from "./measure/throughput.js";
import { stopChild, trackChild } from "./resources.js";

/** The ports of this machine that take the place of a command, by direction. */
export interface ForwardTarget extends Readonly<Record<Direction, number>> {
  stop(): Promise<void>;
}

/**
 * @param folder where the compiled programs are
 * @param bytes that the target writes
 */
export async function startForwardTarget(folder: string, bytes: number): Promise<ForwardTarget> {
  const child = spawn(process.execPath, [join(folder, "forward-target.js"), String(bytes)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  trackChild(child);
  const [ports] = await once(child, "message");
  return { ...ports, stop: () => stopChild(child) };
}
