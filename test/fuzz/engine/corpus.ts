import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const COMMITTED = fileURLToPath(new URL("../corpus/", import.meta.url));
const FOUND = fileURLToPath(new URL("../../../.fuzz/", import.meta.url));

/** What real programs have sent, and what once was a finding: belongs to the repository. */
export function committedFolder(name: string): string {
  return join(COMMITTED, name);
}

/** What long runs leave: git does not see it. */
export function foundFolder(name: string): string {
  return join(FOUND, name, "corpus");
}

export function findingsFolder(name: string): string {
  return join(FOUND, name, "findings");
}

/** Where a process notes what it is about to run: whatever becomes of it, that can be read. */
export function presentInputFile(name: string): string {
  mkdirSync(join(FOUND, name), { recursive: true });
  return join(FOUND, name, "present-input");
}

export function readInputs(folder: string): Buffer[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((file) => readFileSync(join(folder, file)));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Stores an input under a name made of its contents. @returns its path */
export function storeInput(folder: string, input: Uint8Array, prefix = ""): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, prefix + createHash("sha256").update(input).digest("hex").slice(0, 16));
  writeFileSync(path, input);
  return path;
}
