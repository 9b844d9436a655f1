import type { StdioOptions } from "node:child_process";
import { openSync } from "node:fs";

/**
 * The descriptors of the terminals that are open, on our end. `@lydell/node-pty` leaves them open in every program that this process
 * starts, which could read and type on the terminals of others.
 */
const openTerminals = new Set<{ readonly descriptor: number }>();

let nowhere: number | undefined;

/** @returns takes the descriptor back, to be called once it is closed */
export function keepFromPrograms(descriptor: number): () => void {
  // Not the number alone, which may be that of another terminal before this one is taken back.
  const terminal = { descriptor };
  openTerminals.add(terminal);
  return () => openTerminals.delete(terminal);
}

/**
 * The `stdio` of a program that shall not get at the terminals of other programs: in their places it has `/dev/null`. To be asked
 * anew for each program, just before it is spawned; `runProgram` does.
 */
export function isolatedStdio(
  input: Stdio = "pipe",
  output: Stdio = "pipe",
  errorOutput: Stdio = "pipe",
): StdioOptions {
  const stdio: Stdio[] = [input, output, errorOutput];
  for (const { descriptor } of openTerminals) {
    nowhere ??= openSync("/dev/null", "r+");
    while (stdio.length < descriptor) stdio.push("ignore");
    stdio[descriptor] = nowhere;
  }
  return stdio;
}

type Stdio = "pipe" | "ignore" | "inherit" | number;
