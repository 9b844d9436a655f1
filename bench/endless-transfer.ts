import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { bytesWritten } from "./processes.js";
import { stopChild, trackChild } from "./resources.js";

/** A transfer under way, for as long as something else is measured. */
export interface EndlessTransfer {
  /** Stops it. @returns megabytes (10⁶ bytes) of each second that it ran */
  stop(): Promise<number>;
}

/** Of the transfer, before anything is measured beside it. */
const firstBytes = 64 * 1024 * 1024;
const startTimeout = 30_000;

/**
 * Starts `ssh` with a command that does not end, and waits until its output flows.
 *
 * @param client the program and its parameters
 * @param writer the process that writes what arrives, if it is another than the client
 * @throws {Error} when nothing arrives
 */
export async function startEndlessTransfer(client: readonly string[], writer?: number): Promise<EndlessTransfer> {
  const [program = "", ...parameters] = client;
  const child = spawn(program, parameters, { stdio: "ignore" });
  trackChild(child);
  const pid = writer ?? child.pid ?? 0;
  const before = bytesWritten(pid);
  const deadline = performance.now() + startTimeout;
  while (bytesWritten(pid) - before < firstBytes) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode} before its transfer`);
    if (performance.now() > deadline) throw new Error("the transfer does not begin");
    await delay(10);
  }
  const startedAt = performance.now();
  const atStart = bytesWritten(pid);
  return {
    async stop() {
      const seconds = (performance.now() - startedAt) / 1000;
      const bytes = bytesWritten(pid) - atStart;
      const early = child.exitCode !== null || child.signalCode !== null;
      await stopChild(child);
      if (early) throw new Error("the transfer ended while something was measured beside it");
      return bytes / seconds / 1e6;
    },
  };
}
