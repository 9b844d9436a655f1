import { systemErrorCode } from "../errors.js";
import type { DirectoryEntry, FileAttributes } from "../file-system.js";
import { decodeName, encodeName } from "../path.js";
import { attributesOf } from "./attributes.js";
import type { Directories } from "./directories.js";
import type { ShortCalls } from "./short-calls.js";
import { opendirFollowing, readdirFollowing, statFollowing } from "./system-calls.js";

/** Entries that are looked at together. */
const BATCH = 64;

/** Bytes of a directory, as the file system counts them, up to which its names are read at once. */
const SMALL_DIRECTORY = 256 * 1024;

/** Of an entry that cannot be looked at. Left out, it would pass for deleted when a tree is mirrored. */
const UNKNOWN: FileAttributes = { type: "unknown", size: 0, permissions: 0, accessTime: 0, modifyTime: 0 };

/** The entries of a directory; those that vanish meanwhile are left out. */
export async function* listDirectory(directories: Directories, path: string): AsyncGenerator<DirectoryEntry, void> {
  const directory = await directories.acquire(path);
  try {
    const prefix = encodeName(`${directory.systemPath}/`);
    for await (const names of nameBatches(directory.systemPath)) {
      for (const entry of await Promise.all(names.map((name) => describe(directory.calls, prefix, name)))) {
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
async function* nameBatches(systemPath: string): AsyncGenerator<string[], void> {
  const encodedPath = encodeName(systemPath);
  const { size } = await statFollowing(encodedPath);
  if (size > SMALL_DIRECTORY) {
    yield* largeDirectoryBatches(systemPath);
    return;
  }
  const names = await readdirFollowing(encodedPath, "latin1");
  for (let first = 0; first < names.length; first += BATCH) yield names.slice(first, first + BATCH);
}

async function* largeDirectoryBatches(systemPath: string): AsyncGenerator<string[], void> {
  let batch: string[] = [];
  for await (const { name } of await opendirFollowing(systemPath, { encoding: "latin1", bufferSize: BATCH })) {
    if (batch.push(name) < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function describe(calls: ShortCalls, prefix: Buffer, latin1Name: string): Promise<DirectoryEntry | undefined> {
  const bytes = Buffer.from(latin1Name, "latin1");
  const name = decodeName(bytes);
  try {
    return { name, attributes: attributesOf(await calls.lstat(Buffer.concat([prefix, bytes]))) };
  } catch (error) {
    return systemErrorCode(error) === "ENOENT" ? undefined : { name, attributes: UNKNOWN };
  }
}
