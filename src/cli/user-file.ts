import type { Stats } from "node:fs";
import { open } from "node:fs/promises";
import { describeError, StartError } from "./errors.js";

/** A line that lets nobody in, and why. */
export interface RefusedLine {
  /** Counted from 1. */
  readonly line: number;
  readonly reason: string;
}

/**
 * Reads a file that says who may log in.
 *
 * @param kind what it is called in messages
 * @param check throws when others could have changed what is in it
 * @throws {StartError} when it cannot be read
 */
export async function readUserFile(kind: string, path: string, check: (stats: Stats) => void): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      check(await file.stat());
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${kind} ${path} cannot be read: ${describeError(error)}`, { cause: error });
  }
}
