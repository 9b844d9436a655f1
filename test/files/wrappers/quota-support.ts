import fc from "fast-check";
import { FileError } from "../../../src/files/errors.js";
import type { FileHandle, FileSystem } from "../../../src/files/file-system.js";
import type { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { callHandle, selectHandleMethods, selectMethods } from "../../../src/files/wrappers/methods.js";
import type { OpenFile } from "../conformance/drive.js";
import { fileStep, step } from "../conformance/steps.js";

const inUse = new Map<OpenFile, number>();
const path = fc.constantFrom("/a", "/b");
const size = fc.nat(100);
const flags = fc.constantFrom("read", "write", "write append", "write create", "read write create truncate");

/** Requests on few files. */
export const meetingSteps = fc.oneof(
  step("write", [path, size], ({ drive }, where, length) => drive.write(where, Buffer.alloc(length))),
  step("remove", [path], ({ drive }, where) => drive.remove(where)),
  step("rename", [path, path], ({ drive }, from, to) => drive.rename(from, to)),
  step("posixRename", [path, path], ({ drive }, from, to) => drive.posixRename(from, to)),
  step("hardlink", [path, path], ({ drive }, from, to) => drive.hardlink(from, to)),
  step("truncate", [path, size], ({ drive }, where, length) => drive.setstat(where, { size: length })),
  step("open", [path, flags], async ({ drive, files }, where, how) => files.push(await drive.open(where, how))),
  fileStep("file.write", [size, size], (file, position, length) =>
    using(file, () => file.write(Buffer.alloc(length), position)),
  ),
  fileStep("file.truncate", [size], (file, length) => using(file, () => file.setstat({ size: length }))),
  step("file.close", [], async ({ files }) => {
    const idle = files.findIndex((file) => !inUse.has(file));
    if (idle >= 0) await files.splice(idle, 1)[0]?.close();
  }),
);

/** Files are closed after all else that is done to them, but while other handles of the same file are in use. */
async function using(file: OpenFile, operation: () => Promise<void>): Promise<void> {
  inUse.set(file, (inUse.get(file) ?? 0) + 1);
  try {
    await operation();
  } finally {
    const left = (inUse.get(file) ?? 0) - 1;
    if (left === 0) inUse.delete(file);
    else inUse.set(file, left);
  }
}

/** Statistics in blocks of one byte, and as large as one likes. */
export function countedInBytes(fileSystem: FileSystem): FileSystem {
  const size = 2 ** 40;
  return {
    ...selectMethods(fileSystem, () => true),
    statvfs: async (path) => {
      const statistics = await fileSystem.statvfs?.(path);
      if (statistics === undefined) throw new FileError("ENOTSUP");
      return { ...statistics, blockSize: 1, blocks: size, freeBlocks: size, availableBlocks: size };
    },
  };
}

export function withHandles(fileSystem: FileSystem, wrap: (handle: FileHandle) => FileHandle): FileSystem {
  return {
    ...selectMethods(fileSystem, () => true),
    open: async (path, options) => {
      const handle = await fileSystem.open?.(path, options);
      if (handle === undefined) throw new FileError("ENOTSUP");
      return wrap(handle);
    },
  };
}

/** Neither its handles nor its attributes tell which names are of the same file. */
export function anonymous(fileSystem: FileSystem): FileSystem {
  return withHandles(fileSystem, (handle) => {
    const { identity: _, ...methods } = selectHandleMethods(handle);
    return {
      ...methods,
      stat: async () => {
        const { links: _, ...attributes } = await callHandle(handle, "stat");
        return attributes;
      },
    };
  });
}

/** An operation that takes until it is told to finish. */
export function deferred() {
  let finish: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { finish, run: () => promise };
}

/** Every call takes a while, before it does something and after that. */
export function slow(fileSystem: FileSystem, seed: number): FileSystem {
  let state = seed;
  const pause = async () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    for (let turns = (state >>> 16) % 8; turns > 0; turns--) await undefined;
  };
  const delayed = <T extends object>(object: T, names: readonly (keyof T)[]): T => {
    const copy = { ...object };
    for (const name of names) {
      const method = object[name];
      if (typeof method !== "function") continue;
      copy[name] = (async (...args: unknown[]) => {
        await pause();
        const result: unknown = await method.apply(object, args);
        await pause();
        return result;
      }) as T[keyof T];
    }
    return copy;
  };
  const names = ["open", "lstat", "setstat", "remove", "rename", "posixRename", "hardlink"] as const;
  const withSlowHandles = withHandles(fileSystem, (handle) => {
    const methods = selectHandleMethods(handle);
    return delayed(methods, ["read", "write", "stat", "setstat", "close"]);
  });
  return delayed(withSlowHandles, names);
}

/** Knows how many bytes there were at most, files without a name but open counted. */
export class WatchedFileSystem {
  readonly fileSystem: FileSystem;
  mostBytes = 0;
  readonly #memory: MemoryFileSystem;
  readonly #open = new Set<FileHandle>();

  constructor(memory: MemoryFileSystem) {
    this.#memory = memory;
    const watching = (change: () => unknown) => {
      change();
      this.#look();
    };
    this.fileSystem = {
      ...countedInBytes(memory),
      open: (path, options) => {
        const handle = memory.open(path, options);
        const watched: FileHandle = {
          ...selectHandleMethods(handle),
          write: (data, position) => watching(() => handle.write(data, position)),
          setstat: (changes) => watching(() => handle.setstat(changes)),
          close: () => {
            this.#open.delete(watched);
            handle.close();
          },
        };
        this.#open.add(watched);
        this.#look();
        return watched;
      },
      setstat: (path, changes) => watching(() => memory.setstat(path, changes)),
    };
  }

  #look(): void {
    let bytes = 0;
    const seen = new Set<string>();
    for (const { identity = "", stat } of this.#open) {
      const attributes = stat?.() as { links: number; size: number };
      if (attributes.links === 0 && !seen.has(identity)) bytes += attributes.size;
      seen.add(identity);
    }
    const directories = ["/"];
    for (let path = directories.pop(); path !== undefined; path = directories.pop()) {
      for (const { name, attributes } of this.#memory.readdir(path)) {
        if (attributes.type === "directory") directories.push(`${path}/${name}`);
        else if (attributes.type === "file") bytes += attributes.size / (attributes.links ?? 1);
      }
    }
    this.mostBytes = Math.max(this.mostBytes, Math.floor(bytes));
  }
}
