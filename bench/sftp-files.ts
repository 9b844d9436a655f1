import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import type { Workspace } from "./workspace.js";

/** As the `sftp` client calls it: of one large file, of a folder with many small ones, and a long listing. */
export type SFTPOperation = "get" | "put" | "get -r" | "put -r" | "ls -l";

/** What the client is to do, and how to see that it was done. */
export interface SFTPTask {
  readonly command: string;
  /** How often in one session. */
  readonly repetitions: number;
  /** @throws {Error} when what came out is not what should have; removes it */
  finish(output: string): void;
}

const smallFiles = 2_000;
const longestSmallFile = 8_192;
const entries = 10_000;
/** One listing takes sshd a few of the ticks that its CPU time is counted in. */
const listings = 10;

/** Fills the served folder with what the operations need. */
export function createSFTPFiles({ servedFolder }: Workspace, largeFileBytes: number): void {
  writeRandom(join(servedFolder, "large"), largeFileBytes);
  mkdirSync(join(servedFolder, "small"));
  for (let index = 0; index < smallFiles; index++) {
    const length = (index * 37) % (longestSmallFile + 1);
    writeFileSync(join(servedFolder, "small", `file-${index}`), randomBytes(length));
  }
  mkdirSync(join(servedFolder, "entries"));
  for (let index = 0; index < entries; index++) writeFileSync(join(servedFolder, "entries", `entry-${index}`), "");
}

export function sftpTask(operation: SFTPOperation, { servedFolder, receivedFolder }: Workspace): SFTPTask {
  const name = operation.endsWith("-r") ? "small" : "large";
  const original = join(servedFolder, name);
  switch (operation) {
    case "get":
    case "get -r": {
      const copy = join(receivedFolder, name);
      return { command: `${operation} ${name} ${copy}`, repetitions: 1, finish: () => removeEqualCopy(original, copy) };
    }
    case "put":
    case "put -r": {
      // From the folder that is served into the same one: the large file need not be there twice.
      const copy = `${original}-copy`;
      const command = `${operation} ${original} ${basename(copy)}`;
      return { command, repetitions: 1, finish: () => removeEqualCopy(original, copy) };
    }
    case "ls -l":
      return { command: "ls -l entries", repetitions: listings, finish: checkListings };
  }
}

function removeEqualCopy(original: string, copy: string): void {
  const { status, stdout, stderr } = spawnSync("diff", ["-rq", original, copy], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the copy differs: ${stdout}${stderr}`);
  rmSync(copy, { recursive: true });
}

function checkListings(output: string): void {
  // By what the server can do, the client prints its line or makes one, with the folder in it.
  const lines = output.match(/^-rw.* (?:entries\/)?entry-\d+$/gm)?.length ?? 0;
  if (lines !== entries * listings) throw new Error(`the listings had ${lines} entries`);
}

function writeRandom(file: string, bytes: number): void {
  const descriptor = openSync(file, "w");
  const chunkLength = 1024 * 1024;
  for (let offset = 0; offset < bytes; offset += chunkLength) {
    writeSync(descriptor, randomBytes(Math.min(chunkLength, bytes - offset)));
  }
  closeSync(descriptor);
}
