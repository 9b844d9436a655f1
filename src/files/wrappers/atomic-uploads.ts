import { ConfigurationError } from "../../base/configuration-error.js";
import { checkFlag, checkNumber, checkOptions, checkText } from "../../base/option-checks.js";
import { endFile } from "../end-file.js";
import { FileError, LinkInPathError, toFileError } from "../errors.js";
import { COMPLETED } from "../file-outcome.js";
import type {
  AttributeChanges,
  DirectoryEntry,
  FileAttributes,
  FileHandle,
  FileSystem,
  OpenOptions,
} from "../file-system.js";
import { FOR_WRITING } from "../open-options.js";
import { joinPath, lastName, parentPath } from "../path.js";
import { call, checkFileSystem, type FileSystemMethod, selectHandleMethods, selectMethods } from "./methods.js";
import { StagedFile, type Staging } from "./staged-file.js";
import { StagedListing } from "./staged-listing.js";
import { isReserved, StagedNames } from "./staged-names.js";
import { attributesAt, removeStaged, StagedUpload } from "./staged-upload.js";
import { UploadRegister } from "./upload-register.js";

/** Seconds that what is left of an upload is kept: a week. */
export const KEPT_FOR = 7 * 24 * 60 * 60;

export interface AtomicUploadsOptions {
  /** The user whose files are served: each sees their own unfinished uploads, and nobody else's. */
  readonly user?: string | undefined;
  /** Seconds that what is left of an upload is kept, from the last change on. Default: a week. */
  readonly keepSeconds?: number;
  /** Whether a file is on the disk itself before it is moved into its place: slow, and safe against power cuts. Default: `false`. */
  readonly fsync?: boolean;
}

const NEEDED = ["open", "lstat", "remove", "rename", "posixRename"] as const satisfies readonly FileSystemMethod[];

const staging = new WeakSet<FileSystem>();

/** Whether a file system stages what is uploaded to it. */
export function stagesUploads(fileSystem: FileSystem): boolean {
  return staging.has(fileSystem);
}

/**
 * Lets nobody see half an upload: `atomicUploads(files, { user })`, one wrapper for each session. A file that is made or
 * emptied is written beside its place, under a hidden name, and moved there when the client has closed it.
 *
 * - Until then others see the old file, or none. The user sees the new one under its final name, so that a later
 *   session can go on with it (`reput`). It can be read, changed and removed there, but not renamed or linked (EBUSY).
 * - A file that is opened neither to be made nor to be emptied is written in its place.
 * - A file that replaces another has its permissions, unless the client sets others, and its owner where that is possible.
 * - One that was opened with `exclusive` replaces nothing: closing it fails if somebody else was first (EEXIST). Of other
 *   uploads to one path the last one that is closed counts. If a session goes on with an upload that another one still has open, the
 *   other can write no more (ESTALE).
 * - What is left of an upload is removed when the directory is listed, or the name used, `keepSeconds` after the last change; and
 *   by `sweepUploads`.
 * - One object of the file system for all sessions that share a folder is best: they know of each other's uploads by it.
 *
 * Names of staged files begin with `.spindlex-`; clients can neither see nor use such names.
 *
 * @throws {ConfigurationError} when an option cannot be used, or the file system has no `open`, `lstat`, `remove`, `rename` or `posixRename`
 */
export function atomicUploads(fileSystem: FileSystem, options: AtomicUploadsOptions = {}): FileSystem {
  checkFileSystem("fileSystem", fileSystem);
  const missing = NEEDED.find((name) => fileSystem[name] === undefined);
  if (missing !== undefined) throw new ConfigurationError("fileSystem", `has no method ${missing}`);
  const { user, keepSeconds = KEPT_FOR, fsync = false } = checkOptions(options, ["user", "keepSeconds", "fsync"]);
  if (user !== undefined) checkText("user", user);
  checkNumber("keepSeconds", keepSeconds, 1, Number.MAX_SAFE_INTEGER);
  const atomic = new AtomicUploads(fileSystem, user, keepSeconds, checkFlag("fsync", fsync));
  const wrapped = {
    ...selectMethods(fileSystem, () => true),
    ...selectMethods(atomic, (name) => fileSystem[name] !== undefined),
  };
  staging.add(wrapped);
  return wrapped;
}

/** An unfinished upload that is seen under its final name. */
interface Unfinished {
  readonly attributes: FileAttributes;
  /** The file that is still there. */
  readonly replaced: FileAttributes | undefined;
}

class AtomicUploads implements FileSystem {
  readonly #staging: Staging;
  readonly #fileSystem: FileSystem;
  readonly #register: UploadRegister;
  readonly #names: StagedNames;
  readonly #keepSeconds: number;

  constructor(fileSystem: FileSystem, user: string | undefined, keepSeconds: number, fsync: boolean) {
    this.#fileSystem = fileSystem;
    this.#register = UploadRegister.of(fileSystem);
    this.#names = new StagedNames(user);
    this.#keepSeconds = keepSeconds;
    this.#staging = { fileSystem, register: this.#register, names: this.#names, fsync };
  }

  async open(path: string, options: OpenOptions): Promise<FileHandle> {
    if (isReserved(path)) throw new FileError(options.create ? "EACCES" : "ENOENT");
    if (!options.write) return this.#openToRead(path, options);
    return this.#alone(path, () => this.#openToWrite(path, options));
  }

  async lstat(path: string): Promise<FileAttributes> {
    refuseReserved(path, "ENOENT");
    const unfinished = await this.#unfinished(path);
    if (unfinished === undefined) return call(this.#fileSystem, "lstat", path);
    const { attributes, replaced } = unfinished;
    return replaced === undefined ? { ...attributes, unfinished: true } : attributes;
  }

  async setstat(path: string, changes: AttributeChanges): Promise<void> {
    refuseReserved(path, "ENOENT");
    await this.#alone(path, async (slot) => {
      const isStaged = (await this.#unfinished(path)) !== undefined;
      await call(this.#fileSystem, "setstat", isStaged ? slot : path, changes);
      const upload = this.#register.get(slot);
      if (isStaged && upload !== undefined && changes.permissions !== undefined) upload.hasPermissions = true;
    });
  }

  readdir(path: string): AsyncIterable<DirectoryEntry> {
    refuseReserved(path, "ENOENT");
    return new StagedListing(call(this.#fileSystem, "readdir", path), (staged) => this.#entriesOf(path, staged));
  }

  async remove(path: string): Promise<void> {
    refuseReserved(path, "ENOENT");
    await this.#alone(path, async (slot) => {
      const unfinished = await this.#unfinished(path);
      if (unfinished === undefined || unfinished.replaced !== undefined) await call(this.#fileSystem, "remove", path);
      if (unfinished === undefined) return;
      await removeStaged(this.#fileSystem, slot);
      const upload = this.#register.get(slot);
      if (upload === undefined) return;
      upload.isRemoved = true;
      this.#register.delete(upload);
    });
  }

  async mkdir(path: string, permissions: number): Promise<void> {
    await this.#refuseTaken(path);
    await call(this.#fileSystem, "mkdir", path, permissions);
  }

  async symlink(target: string, linkPath: string): Promise<void> {
    await this.#refuseTaken(linkPath);
    await call(this.#fileSystem, "symlink", target, linkPath);
  }

  async hardlink(existingPath: string, newPath: string): Promise<void> {
    await this.#refuseUnfinished(existingPath);
    await this.#refuseTaken(newPath);
    await call(this.#fileSystem, "hardlink", existingPath, newPath);
  }

  async rename(oldPath: string, newPath: string): Promise<void> {
    await this.#refuseUnfinished(oldPath);
    await this.#refuseTaken(newPath);
    await call(this.#fileSystem, "rename", oldPath, newPath);
    this.#register.moved(oldPath, newPath);
  }

  async posixRename(oldPath: string, newPath: string): Promise<void> {
    if (oldPath === newPath && (await this.#unfinished(oldPath)) !== undefined) return;
    await this.#refuseUnfinished(oldPath);
    refuseReserved(newPath, "EACCES");
    await this.#alone(newPath, async (slot) => {
      const unfinished = await this.#unfinished(newPath);
      await call(this.#fileSystem, "posixRename", oldPath, newPath);
      this.#register.moved(oldPath, newPath);
      if (unfinished === undefined || oldPath === newPath) return;
      const upload = this.#register.get(slot);
      if (upload === undefined) await removeStaged(this.#fileSystem, slot);
      else upload.isShadowed = true;
    });
  }

  #alone<T>(path: string, operation: (slot: string) => Promise<T>): Promise<T> {
    const slot = this.#names.slotOf(path);
    return this.#register.alone(slot, () => operation(slot));
  }

  /** The unfinished upload that the user sees at a path. */
  async #unfinished(path: string): Promise<Unfinished | undefined> {
    if (path === "/") return undefined;
    const slot = this.#names.slotOf(path);
    const attributes = await attributesAt(this.#fileSystem, slot).catch(unlessLinkInPath);
    if (attributes?.type !== "file") return undefined;
    const upload = this.#register.get(slot);
    if (upload === undefined ? this.#isExpired(attributes) : upload.isShadowed) return undefined;
    const replaced = await attributesAt(this.#fileSystem, path);
    return replaced === undefined || replaced.type === "file" ? { attributes, replaced } : undefined;
  }

  async #openToRead(path: string, options: OpenOptions): Promise<FileHandle> {
    const isStaged = !options.create && (await this.#unfinished(path)) !== undefined;
    if (isStaged) return this.#openStaged(this.#names.slotOf(path), options);
    if (!options.create) return call(this.#fileSystem, "open", path, options);
    // A client that makes a file and only reads it has made an empty one.
    await this.#refuseTaken(path);
    return call(this.#fileSystem, "open", path, options);
  }

  async #openToWrite(path: string, options: OpenOptions): Promise<FileHandle> {
    const { create, truncate, exclusive, append } = options;
    const unfinished = await this.#unfinished(path);
    const present = unfinished === undefined ? await attributesAt(this.#fileSystem, path) : unfinished.replaced;
    if (exclusive && (present !== undefined || this.#register.get(this.#names.slotOf(path)) !== undefined)) {
      throw new FileError("EEXIST");
    }
    if (present?.type === "symlink") throw new LinkInPathError();
    // What cannot be written is refused now, as it would be without staging.
    if (present !== undefined && present.type !== "file") return call(this.#fileSystem, "open", path, options);
    if (unfinished === undefined && present !== undefined && !truncate) {
      return call(this.#fileSystem, "open", path, options);
    }
    if (unfinished === undefined && present === undefined && !create) throw new FileError("ENOENT");
    if (present !== undefined) await this.#checkWritable(path);
    if (unfinished !== undefined && !truncate && (!exclusive || append)) return this.#goOn(path, options);
    return this.#begin(path, options, present);
  }

  async #checkWritable(path: string): Promise<void> {
    await endFile(await call(this.#fileSystem, "open", path, FOR_WRITING), COMPLETED);
  }

  /** Begins an upload anew. */
  async #begin(path: string, options: OpenOptions, replaced: FileAttributes | undefined): Promise<FileHandle> {
    const slot = this.#names.slotOf(path);
    const permissions = replaced === undefined ? options.permissions : replaced.permissions & 0o777;
    const fresh: OpenOptions = {
      ...options,
      ...(permissions !== undefined && { permissions }),
      create: true,
      exclusive: true,
      truncate: false,
    };
    let stagedPath = slot;
    if (this.#register.get(slot) === undefined) await removeStaged(this.#fileSystem, slot);
    else stagedPath = this.#names.uniqueFor(path);
    let handle: FileHandle;
    try {
      handle = await this.#openStaged(stagedPath, fresh);
    } catch (error) {
      // Another process has begun one at this moment.
      if (stagedPath !== slot || toFileError(error).code !== "EEXIST") throw error;
      stagedPath = this.#names.uniqueFor(path);
      handle = await this.#openStaged(stagedPath, fresh);
    }
    const upload = new StagedUpload(path, stagedPath, options.exclusive);
    this.#register.add(upload);
    return this.#stagedFile(handle, upload);
  }

  /** Goes on with an upload, from whichever session it is. */
  async #goOn(path: string, options: OpenOptions): Promise<FileHandle> {
    const slot = this.#names.slotOf(path);
    const handle = await this.#openStaged(slot, { ...options, create: false, exclusive: false });
    let upload = this.#register.get(slot);
    if (upload === undefined) {
      upload = new StagedUpload(path, slot, options.exclusive);
      this.#register.add(upload);
    }
    for (const writer of [...upload.writers]) {
      if (writer.staging === this.#staging) continue;
      writer.cut();
      upload.isBroken = false;
    }
    return this.#stagedFile(handle, upload);
  }

  #stagedFile(handle: FileHandle, upload: StagedUpload): FileHandle {
    const staged = new StagedFile(this.#staging, handle, upload);
    return selectHandleMethods(staged, (name) => name === "close" || handle[name] !== undefined);
  }

  /** The server would look for a link in the path of the file itself, where there is none. */
  async #openStaged(stagedPath: string, options: OpenOptions): Promise<FileHandle> {
    try {
      return await call(this.#fileSystem, "open", stagedPath, options);
    } catch (error) {
      throw error instanceof LinkInPathError ? new FileError("EIO") : error;
    }
  }

  async #refuseUnfinished(path: string): Promise<void> {
    refuseReserved(path, "ENOENT");
    if ((await this.#unfinished(path)) !== undefined) throw new FileError("EBUSY", "The upload is not complete");
  }

  async #refuseTaken(path: string): Promise<void> {
    refuseReserved(path, "EACCES");
    if ((await this.#unfinished(path)) !== undefined) throw new FileError("EEXIST");
  }

  #isExpired({ modifyTime }: FileAttributes): boolean {
    return modifyTime < Date.now() / 1000 - this.#keepSeconds;
  }

  /** The entries of a directory that the user sees of its staged files. Those that nobody has come back for are removed. */
  async #entriesOf(directory: string, staged: readonly DirectoryEntry[]): Promise<DirectoryEntry[]> {
    const names = new Set<string>();
    for (const { name, attributes } of staged) {
      const finalName = this.#names.finalName(name);
      if (finalName !== undefined) names.add(finalName);
      else if (attributes.type === "file" && this.#isExpired(attributes)) await this.#sweep(joinPath(directory, name));
    }
    for (const { path, stagedPath } of this.#register) {
      if (parentPath(path) === directory && stagedPath === this.#names.slotOf(path)) names.add(lastName(path));
    }
    const entries: DirectoryEntry[] = [];
    for (const name of names) {
      const path = joinPath(directory, name);
      const found = await this.#unfinished(path);
      if (found === undefined) await this.#alone(path, (slot) => this.#removeExpired(slot));
      else if (found.replaced === undefined) entries.push({ name, attributes: found.attributes });
    }
    return entries;
  }

  async #sweep(stagedPath: string): Promise<void> {
    await this.#register.alone(stagedPath, () => this.#removeExpired(stagedPath));
  }

  async #removeExpired(stagedPath: string): Promise<void> {
    if (this.#register.get(stagedPath) !== undefined) return;
    const attributes = await attributesAt(this.#fileSystem, stagedPath);
    if (attributes?.type === "file" && this.#isExpired(attributes)) await removeStaged(this.#fileSystem, stagedPath);
  }
}

function refuseReserved(path: string, code: "ENOENT" | "EACCES"): void {
  if (isReserved(path)) throw new FileError(code);
}

/** What is done about the path itself tells that a link leads there, in its own order. */
function unlessLinkInPath(error: unknown): undefined {
  if (!(error instanceof LinkInPathError)) throw error;
}
