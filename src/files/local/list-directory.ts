import type { Stats } from "node:fs";
import { isThenable, type MaybePromise } from "../../base/maybe-promise.js";
import { systemErrorCode } from "../../base/system-error-code.js";
import { BatchedEntries } from "../entry-iterator.js";
import type { DirectoryEntry, FileAttributes } from "../file-system.js";
import { decodeName, encodeName } from "../path.js";
import { attributesOf } from "./attributes.js";
import type { Directories, Directory } from "./directories.js";

const NOT_ASCII = /[^\0-\x7f]/;

/** Entries that are looked at together. */
const BATCH = 64;

/** Bytes of a directory, as the file system counts them, up to which its names are read at once. */
const SMALL_DIRECTORY = 256 * 1024;

/** Attributes for an entry that cannot be looked at. Left out, it would pass for deleted when a tree is mirrored. */
const UNKNOWN: FileAttributes = { type: "unknown", size: 0, permissions: 0, accessTime: 0, modifyTime: 0 };

/** The entries of a directory; those that vanish meanwhile are left out. */
export class DirectoryListing extends BatchedEntries {
  readonly #directories: Directories;
  readonly #path: string;

  /** @param path canonical */
  constructor(directories: Directories, path: string) {
    super();
    this.#directories = directories;
    this.#path = path;
  }

  async *batches(): AsyncGenerator<DirectoryEntry[], void> {
    const directory = await this.#directories.acquire(this.#path);
    try {
      const prefix = `${directory.systemPath}/`;
      for await (const names of nameBatches(directory)) {
        const known = directory.lookAt(names);
        const entries = names.map((name, index) => {
          const attributes = known[index];
          return attributes === undefined ? describe(directory, prefix, name) : { name: textOf(name), attributes };
        });
        const found = entries.some(isThenable) ? await Promise.all(entries) : entries;
        yield found.filter(isEntry);
      }
    } finally {
      directory.release();
    }
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

/** @param prefix the path of the directory with a slash behind it */
function describe(directory: Directory, prefix: string, latin1Name: string): MaybePromise<DirectoryEntry | undefined> {
  // Text that is nothing but ASCII needs no bytes of its own.
  const isPlain = isASCII(latin1Name) && isASCII(prefix);
  const bytes = isPlain ? undefined : Buffer.from(latin1Name, "latin1");
  const name = bytes === undefined ? latin1Name : decodeName(bytes);
  const path = bytes === undefined ? prefix + latin1Name : Buffer.concat([encodeName(prefix), bytes]);
  const found = (stats: Stats): DirectoryEntry => ({ name, attributes: attributesOf(stats) });
  const failed = (error: unknown) => (systemErrorCode(error) === "ENOENT" ? undefined : { name, attributes: UNKNOWN });
  try {
    const stats = directory.callsFor(name).lstat(path);
    return isThenable(stats) ? stats.then(found, failed) : found(stats);
  } catch (error) {
    return failed(error);
  }
}

function textOf(latin1Name: string): string {
  return isASCII(latin1Name) ? latin1Name : decodeName(Buffer.from(latin1Name, "latin1"));
}

function isASCII(text: string): boolean {
  return !NOT_ASCII.test(text);
}

function isEntry(entry: MaybePromise<DirectoryEntry | undefined>): entry is DirectoryEntry {
  return entry !== undefined && !isThenable(entry);
}
