import { ConfigurationError } from "../../base/configuration-error.js";
import { stderrLogger } from "../../base/logger.js";
import { checkFunction, checkInteger, checkNumber, checkOptions, checkText } from "../../base/option-checks.js";
import type { QuotaAccount, QuotaTerms, QuotaUsage } from "../../base/quota-ledger.js";
import { sharedLedgers } from "../../base/shared-ledgers.js";
import { standsOn } from "../base-path.js";
import { endFile } from "../end-file.js";
import { FileError, isMissing, LinkInPathError } from "../errors.js";
import { abortedBy, COMPLETED } from "../file-outcome.js";
import type {
  AttributeChanges,
  FileAttributes,
  FileHandle,
  FileSystem,
  FileSystemStatistics,
  OpenOptions,
} from "../file-system.js";
import { FOR_READING, FOR_WRITING } from "../open-options.js";
import { isWithin } from "../path.js";
import { treeName } from "../tree-name.js";
import { passUncountedReads } from "../uncounted-reads.js";
import { stagesUploads } from "./atomic-uploads.js";
import { CountedFile, seenOf } from "./counted-file.js";
import { call, callHandle, checkFileSystem, selectHandleMethods, selectMethods } from "./methods.js";
import { OwnAccount } from "./own-account.js";
import { type OpenFile, QuotaHandle } from "./quota-handle.js";
import { type QuotaWarningListener, tellListener } from "./share-watch.js";
import { treeSize } from "./tree-size.js";

/** Options of `quota`. */
export interface QuotaOptions {
  /** Bytes that all files may hold together. */
  readonly bytes: number;
  /** Bytes that they hold now. If absent, the tree is listed once: when it is first changed or its room asked for. */
  readonly used?: number;
  /** The share of the bytes, from 0 to 1, that `onWarning` is told of: `0.9`. */
  readonly warnAt?: number;
  /** Told once when that share is used, and again when it is after less was. */
  readonly onWarning?: QuotaWarningListener;
  /**
   * The name by which the workers of one server know that they write to the same tree, and share the limit. Without it,
   * they share that of a `LocalFileSystem` by its folder; of another file system, each worker has a limit of its own.
   */
  readonly name?: string;
}

/** A tree with a limit, which tells how much of it is taken. */
export interface LimitedFileSystem extends FileSystem {
  /**
   * How much is used. What is being written counts already.
   *
   * @returns rejects with the error of a directory that cannot be listed, where the tree has not been listed before
   */
  usage(): Promise<QuotaUsage>;
}

/** The unit of a tree that has none of its own, bytes. */
const BLOCK_SIZE = 4096;

/** Of a tree that knows nothing of a disk: its quota is all the room there is. */
const UNKNOWN_DISK: FileSystemStatistics = {
  blockSize: BLOCK_SIZE,
  blocks: Number.MAX_SAFE_INTEGER,
  freeBlocks: Number.MAX_SAFE_INTEGER,
  availableBlocks: Number.MAX_SAFE_INTEGER,
  files: 0,
  freeFiles: 0,
  availableFiles: 0,
  maximumNameLength: 255,
};

/**
 * Limits what the files of a tree hold: `quota(files, { bytes: 10 * 2 ** 30 })`. One object serves all sessions that
 * share the limit. A change that would exceed it fails with "Disk quota exceeded" (EDQUOT), before anything
 * of it is written. `usage()` of what is returned tells how much is taken, and so does `statvfs`: `df` in `sftp`.
 *
 * - A file counts with its size, however much of it was never written; with several names it counts once; without a
 *   name, until it is closed.
 * - Directories, links and names do not count, nor files deeper than any path leads when the tree is listed, nor data
 *   that comes into the tree in other ways: by other programs, or through the file system itself. A file that has a
 *   name outside of the tree counts in part at first, and stays counted when its last name inside is removed.
 * - While the tree is listed for the first time, changes wait. If a directory cannot be listed, files cannot be
 *   written, removed or renamed.
 * - Files are told apart by the identity of their handles. Without one, their paths have to do: hard links, and requests
 *   that meet on one file, may then count wrongly.
 * - To be counted, a file is opened before it is removed or replaced: one that cannot be read stays. Handles need
 *   `stat`, and `setstat` where files are to be truncated.
 *
 * @throws {ConfigurationError} when the file system or an option cannot be used
 */
export function quota(fileSystem: FileSystem, options: QuotaOptions): LimitedFileSystem {
  checkFileSystem("fileSystem", fileSystem);
  if (stagesUploads(fileSystem)) {
    throw new ConfigurationError("fileSystem", "stages uploads: write atomicUploads(quota(files, …)) instead");
  }
  const limited = new QuotaFileSystem(
    fileSystem,
    checkOptions(options, ["bytes", "used", "warnAt", "onWarning", "name"]),
  );
  const wrapped = {
    ...selectMethods(fileSystem, () => true),
    ...selectMethods(limited, (name) => fileSystem[name === "statvfs" ? "lstat" : name] !== undefined),
    usage: () => limited.usage(),
  };
  return standsOn(wrapped, fileSystem);
}

interface OpenedFile {
  readonly handle: FileHandle;
  readonly counting: QuotaHandle;
}

/** The methods that change how much room is used, or tell it. */
class QuotaFileSystem implements FileSystem {
  readonly #fileSystem: FileSystem;
  readonly #name: string | undefined;
  readonly #terms: QuotaTerms;
  readonly #openFiles = new Map<string, OpenFile>();
  #opened: QuotaAccount | undefined;
  #measured: Promise<void> | undefined;

  constructor(fileSystem: FileSystem, options: QuotaOptions) {
    this.#fileSystem = fileSystem;
    this.#name = options.name === undefined ? undefined : checkText("name", options.name);
    this.#terms = {
      limit: checkInteger("bytes", options.bytes, 0, Number.MAX_SAFE_INTEGER),
      used: options.used === undefined ? undefined : checkInteger("used", options.used, 0, Number.MAX_SAFE_INTEGER),
      ...warningTerms(options),
      visit: (paths) => void this.#visit(paths),
    };
  }

  /** Opened when it is needed: by then it is known whether this process is one of several. */
  get #account(): QuotaAccount {
    this.#opened ??= openAccount(this.#fileSystem, this.#name, this.#terms);
    return this.#opened;
  }

  async open(path: string, options: OpenOptions): Promise<FileHandle> {
    const { handle, counting } = await this.#open(path, options);
    const selected = selectHandleMethods(counting, (name) => name === "close" || handle[name] !== undefined);
    return passUncountedReads(handle, selected);
  }

  async setstat(path: string, changes: AttributeChanges): Promise<void> {
    if (changes.size === undefined) return call(this.#fileSystem, "setstat", path, changes);
    const { type } = await call(this.#fileSystem, "lstat", path);
    if (type !== "file") throw new FileError(type === "directory" ? "EISDIR" : "EINVAL");
    const { counting } = await this.#open(path, FOR_WRITING);
    await closing(counting, () => counting.setstat(changes));
  }

  remove(path: string): Promise<void> {
    return this.#changeNames(() =>
      this.#unlinking(path, async () => {
        await call(this.#fileSystem, "remove", path);
        this.#movePaths(path, undefined);
      }),
    );
  }

  rename(oldPath: string, newPath: string): Promise<void> {
    return this.#changeNames(async () => {
      await call(this.#fileSystem, "rename", oldPath, newPath);
      this.#movePaths(oldPath, newPath);
    });
  }

  posixRename(oldPath: string, newPath: string): Promise<void> {
    return this.#changeNames(async () => {
      const rename = () => call(this.#fileSystem, "posixRename", oldPath, newPath);
      if (oldPath === newPath) return rename();
      await this.#unlinking(newPath, async () => {
        await rename();
        this.#movePaths(newPath, undefined);
        this.#movePaths(oldPath, newPath);
      });
    });
  }

  hardlink(existingPath: string, newPath: string): Promise<void> {
    return this.#changeNames(async () => call(this.#fileSystem, "hardlink", existingPath, newPath));
  }

  async statvfs(path: string): Promise<FileSystemStatistics> {
    const statistics = await this.#diskStatistics(path);
    const { left, limit } = await this.usage();
    const inBlocks = (bytes: number) => Math.floor(bytes / statistics.blockSize);
    const free = inBlocks(left);
    return {
      ...statistics,
      blocks: Math.min(statistics.blocks, inBlocks(limit)),
      freeBlocks: Math.min(statistics.freeBlocks, free),
      availableBlocks: Math.min(statistics.availableBlocks, free),
    };
  }

  async usage(): Promise<QuotaUsage> {
    await this.#measure();
    return this.#account.usage();
  }

  async #diskStatistics(path: string): Promise<FileSystemStatistics> {
    if (this.#fileSystem.statvfs !== undefined) return this.#fileSystem.statvfs(path);
    if ((await call(this.#fileSystem, "lstat", path)).type === "symlink") throw new LinkInPathError();
    return UNKNOWN_DISK;
  }

  #measure(): Promise<void> {
    this.#measured ??= this.#account
      .measured(() => treeSize(this.#fileSystem))
      .catch((error: unknown) => {
        this.#measured = undefined;
        throw error;
      });
    return this.#measured;
  }

  /** A file is truncated only when it is known by its handle: until then, its path might come to mean another. */
  async #open(path: string, options: OpenOptions): Promise<OpenedFile> {
    if (options.write) await this.#measure();
    const opened = await this.#account.opening(options.create, () => this.#openNow(path, options));
    if (!options.write || !options.truncate || options.exclusive) return opened;
    const { counting } = opened;
    try {
      await counting.setstat({ size: 0 });
    } catch (error) {
      await counting.close(abortedBy(error));
      throw error;
    }
    return opened;
  }

  /** While no name changes, or where that does no harm. */
  async #openNow(path: string, options: OpenOptions): Promise<OpenedFile> {
    const handle = await call(this.#fileSystem, "open", path, { ...options, truncate: false });
    return { handle, counting: await this.#count(path, handle, options) };
  }

  async #count(path: string, handle: FileHandle, options: OpenOptions): Promise<QuotaHandle> {
    const openFile = this.#openFile(path, handle);
    openFile.handles++;
    openFile.openHandles++;
    const onLastClose = () => this.#forget(openFile);
    try {
      return new QuotaHandle(handle, options.append, openFile, await openFile.counted, onLastClose);
    } catch (error) {
      if (--openFile.handles === 0) onLastClose();
      await endFile(handle, abortedBy(error));
      throw error;
    }
  }

  #openFile(path: string, handle: FileHandle): OpenFile {
    const key = handle.identity === undefined ? pathKey(path) : `identity ${handle.identity}`;
    const known = this.#openFiles.get(key);
    if (known !== undefined) return known;
    const openFile: OpenFile = { key, handles: 0, openHandles: 0, counted: this.#startCounting(path, handle) };
    this.#openFiles.set(key, openFile);
    return openFile;
  }

  #forget(openFile: OpenFile): void {
    if (this.#openFiles.get(openFile.key) === openFile) this.#openFiles.delete(openFile.key);
  }

  async #startCounting(path: string, handle: FileHandle): Promise<CountedFile> {
    let attributes: FileAttributes | undefined;
    const look = async () => {
      attributes = await callHandle(handle, "stat");
      return seenOf(attributes);
    };
    const counted = await this.#account.hold(handle.identity, path, look);
    return new CountedFile(counted, attributes ?? (await callHandle(handle, "stat")));
  }

  /** Runs what may take a file's name. It is held open meanwhile, to see whether it was the last. */
  async #unlinking(path: string, unlink: () => Promise<void>): Promise<void> {
    const file = (await this.#isFile(path)) ? (await this.#openNow(path, FOR_READING)).counting : undefined;
    if (file === undefined) return unlink();
    await closing(file, async () => {
      await unlink();
      await file.nameRemoved();
    });
  }

  /** An error in a path shows when the path is used. */
  async #isFile(path: string): Promise<boolean> {
    try {
      return (await call(this.#fileSystem, "lstat", path)).type === "file";
    } catch {
      return false;
    }
  }

  /** Files without an identity are known by their paths, as long as they have one. */
  #movePaths(oldPath: string, newPath: string | undefined): void {
    if (newPath !== undefined) this.#account.moved(oldPath, newPath);
    for (const openFile of [...this.#openFiles.values()]) {
      if (!openFile.key.startsWith(pathKey("/"))) continue;
      const path = openFile.key.slice(pathKey("").length);
      if (!isWithin(path, oldPath)) continue;
      this.#forget(openFile);
      if (newPath === undefined) continue;
      openFile.key = pathKey(newPath + path.slice(oldPath.length));
      this.#openFiles.set(openFile.key, openFile);
    }
  }

  /** A file that was at a path when a change of names began is there until the change is done. */
  async #changeNames(change: () => Promise<void>): Promise<void> {
    await this.#measure();
    await this.#account.alone(change);
  }

  /** To open a file is to look at it, where it was left by a process that has died. */
  async #visit(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      try {
        if (await this.#isFile(path)) await closing((await this.#open(path, FOR_READING)).counting, async () => {});
      } catch (err) {
        if (!isMissing(err))
          stderrLogger.warn({ err }, "a file that was open in a worker which has died could not be counted");
      }
    }
  }
}

const withoutName = new WeakSet<FileSystem>();

function openAccount(fileSystem: FileSystem, givenName: string | undefined, terms: QuotaTerms): QuotaAccount {
  const quotas = sharedLedgers()?.quotas;
  if (quotas === undefined) return new OwnAccount(terms);
  const known = treeName(fileSystem);
  const name = givenName === undefined ? known?.name : `name ${givenName}`;
  if (name !== undefined) return quotas.open(name, terms);
  if (known === undefined && !withoutName.has(fileSystem)) {
    withoutName.add(fileSystem);
    stderrLogger.warn({}, "each worker has a limit of its own for a quota: its file system has no name");
  }
  return new OwnAccount(terms);
}

function warningTerms({ warnAt, onWarning }: QuotaOptions): Pick<QuotaTerms, "warnAt" | "onWarning"> {
  if (warnAt === undefined && onWarning === undefined) return { warnAt: undefined, onWarning: () => {} };
  if (onWarning === undefined) throw new ConfigurationError("warnAt", "does nothing without onWarning");
  if (warnAt === undefined) throw new ConfigurationError("onWarning", "is never called without warnAt");
  checkFunction("onWarning", onWarning);
  return { warnAt: checkNumber("warnAt", warnAt, 0, 1), onWarning: (usage) => void tellListener(onWarning, usage) };
}

/** Closes a file behind what is done with it. */
async function closing(file: QuotaHandle, operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    await file.close(abortedBy(error));
    throw error;
  }
  await file.close(COMPLETED);
}

function pathKey(path: string): string {
  return `path ${path}`;
}
