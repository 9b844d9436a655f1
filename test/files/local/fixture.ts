import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { LocalFileSystem } from "../../../src/files/local/local-file-system.js";
import { Drive } from "../conformance/drive.js";

/** What nobody may see or touch. */
export const SECRET = "what lies outside";

/** A root on the disk, and beside it a tree that lies outside. */
export class Fixture implements AsyncDisposable {
  readonly root: string;
  readonly outside: string;
  readonly drive: Drive;
  readonly #folder = mkdtempSync(join(tmpdir(), "spindlex-local-"));
  readonly #outsideAtFirst: readonly string[];

  constructor() {
    this.root = join(this.#folder, "root");
    this.outside = join(this.#folder, "outside");
    for (const folder of [this.root, this.outside, join(this.outside, "sub")]) mkdirSync(folder);
    for (const file of ["file", "victim", "sub/secret"]) writeFileSync(join(this.outside, file), SECRET);
    this.#outsideAtFirst = describeTree(this.outside);
    this.drive = new Drive(new LocalFileSystem(this.root));
  }

  /** Where the disk has `path`. */
  at(path: string): string {
    return join(this.root, path);
  }

  /** Makes sure that nothing has happened outside. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drive[Symbol.asyncDispose]();
    try {
      expect(describeTree(this.outside)).toEqual(this.#outsideAtFirst);
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

/** A file system as it is made on another platform; what it calls is still this one. */
export function localFileSystemOn(platform: NodeJS.Platform, rootPath: string): LocalFileSystem {
  const original = process.platform;
  Object.defineProperty(process, "platform", { value: platform });
  try {
    return new LocalFileSystem(rootPath);
  } finally {
    Object.defineProperty(process, "platform", { value: original });
  }
}

export function openDescriptors(): string[] {
  return readdirSync("/proc/self/fd");
}

/** Directories stay open for a moment. */
export async function expectOpenDescriptors(count: number): Promise<void> {
  await vi.waitFor(() => expect(openDescriptors().length).toBeLessThanOrEqual(count), { timeout: 10_000 });
}

/** All of a tree that a change would show in. */
function describeTree(folder: string): string[] {
  return ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })].sort().map((name) => {
    const path = join(folder, name);
    const { ino, mode, uid, gid, size, mtimeNs, ctimeNs, nlink } = lstatSync(path, { bigint: true });
    const content = lstatSync(path).isFile() ? readFileSync(path, "utf8") : "";
    return [name, ino, mode, uid, gid, size, mtimeNs, ctimeNs, nlink, content].join(" ");
  });
}
