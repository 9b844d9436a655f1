import { systemErrorCode } from "../../base/system-error-code.js";
import type { DirectoryEntry, FileAttributes } from "../file-system.js";
import { decodeName, encodeName } from "../path.js";
import { attributesOf } from "./attributes.js";
import type { Directories, Directory } from "./directories.js";

/** Entries that are looked at together. */
const BATCH = 64;

/** Bytes of a directory, as the file system counts them, up to which its names are read at once. */
const SMALL_DIRECTORY = 256 * 1024;

/** Attributes for an entry that cannot be looked at. Left out, it would pass for deleted when a tree is mirrored. */
const UNKNOWN: FileAttributes = { type: "unknown", size: 0, permissions: 0, accessTime: 0, modifyTime: 0 };

/** The entries of a directory; those that vanish meanwhile are left out. */
export async function* listDirectory(directories: Directories, path: string): AsyncGenerator<DirectoryEntry, void> {
  const directory = await directories.acquire(path);
  try {
    const prefix = encodeName(`${directory.systemPath}/`);
    for await (const names of nameBatches(directory)) {
      for (const entry of await Promise.all(names.map((name) => describe(directory, prefix, name)))) {
        if (entry !== undefined) yield entry;
      }
    }
  } finally {
    directory.release();
  }
}

/**
 * Names as latin1: a character for each byte. Only those of a large directory are read piece by piece: where a file
 * system does not tell types along with names, Node.js's Dir asks for each of them and waits, the whole process with it.
 */
async function* nameBatches(directory: Directory): AsyncGenerator<string[], void> {
  const { systemPath, calls } = directory;
  const encodedPath = encodeName(systemPath);
  const { size } = await calls.statFollowing(encodedPath);
  if (size > SMALL_DIRECTORY) {
    yield* largeDirectoryBatches(directory);
    return;
  }
  const names = await calls.readdirFollowing(encodedPath, "latin1");
  for (let first = 0; first < names.length; first += BATCH) yield names.slice(first, first + BATCH);
}

async function* largeDirectoryBatches({ systemPath, calls }: Directory): AsyncGenerator<string[], void> {
  const opened = await calls.opendirFollowing(systemPath, { encoding: "latin1", bufferSize: BATCH });
  try {
    let batch: string[] = [];
    for (let entry = await calls.readEntry(opened); entry !== null; entry = await calls.readEntry(opened)) {
      if (batch.push(entry.name) < BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  } finally {
    await opened.close();
  }
}

async function describe(directory: Directory, prefix: Buffer, latin1Name: string): Promise<DirectoryEntry | undefined> {
  const bytes = Buffer.from(latin1Name, "latin1");
  const name = decodeName(bytes);
  try {
    return { name, attributes: attributesOf(await directory.callsFor(name).lstat(Buffer.concat([prefix, bytes]))) };
  } catch (error) {
    return systemErrorCode(error) === "ENOENT" ? undefined : { name, attributes: UNKNOWN };
  }
}
