import { endFile } from "../end-file.js";
import { FileError, LinkInPathError, toFileError } from "../errors.js";
import { COMPLETED } from "../file-outcome.js";
import type {
  AttributeChanges,
  DirectoryEntry,
  FileAttributes,
  FileHandle,
  FileSystem,
  FileSystemStatistics,
  OpenOptions,
} from "../file-system.js";
import { FOR_WRITING } from "../open-options.js";
import { joinPath, lastName, parentPath } from "../path.js";
import { passUncountedReads } from "../uncounted-reads.js";
import { call, selectHandleMethods } from "./methods.js";
import { removeLeft } from "./remove-left.js";
import { StagedFile, type Staging } from "./staged-file.js";
import { StagedListing } from "./staged-listing.js";
import { isReserved, StagedNames } from "./staged-names.js";
import { attributesAt, isExpired, isStrict, removeStaged, StagedUpload } from "./staged-upload.js";
import { UploadRegister } from "./upload-register.js";

/** An unfinished upload that is seen under its final name. */
interface Unfinished {
  readonly attributes: FileAttributes;
  /** The file that is still there. */
  readonly replaced: FileAttributes | undefined;
}

/** A file system that stages what is uploaded to it, for one user. */
export class StagedFileSystem implements FileSystem {
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

  async rmdir(path: string): Promise<void> {
    refuseReserved(path, "ENOENT");
    await call(this.#fileSystem, "rmdir", path);
  }

  async readlink(path: string): Promise<string> {
    refuseReserved(path, "ENOENT");
    return call(this.#fileSystem, "readlink", path);
  }

  async statvfs(path: string): Promise<FileSystemStatistics> {
    refuseReserved(path, "ENOENT");
    return call(this.#fileSystem, "statvfs", path);
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
    const isUnderWay = this.#register.get(this.#names.slotOf(path)) !== undefined;
    if ((exclusive && present !== undefined) || (isStrict(options) && isUnderWay)) throw new FileError("EEXIST");
    if (present?.type === "symlink") throw new LinkInPathError();
    // What cannot be written is refused now, as it would be without staging.
    if (present !== undefined && present.type !== "file") return call(this.#fileSystem, "open", path, options);
    if (unfinished === undefined && present !== undefined && !truncate) {
      return call(this.#fileSystem, "open", path, options);
    }
    if (unfinished === undefined && present === undefined && !create) throw new FileError("ENOENT");
    if (present !== undefined) await this.#checkWritable(path);
    if (unfinished !== undefined && !truncate && (!isStrict(options) || append)) return this.#goOn(path, options);
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
    const isFree = this.#register.get(slot) === undefined;
    let created = isFree ? await this.#create(slot, fresh) : undefined;
    if (isFree && created === undefined) {
      // What is left of an upload is of no use any more.
      await removeStaged(this.#fileSystem, slot);
      created = await this.#create(slot, fresh);
    }
    const stagedPath = created === undefined ? this.#names.uniqueFor(path) : slot;
    const handle = created ?? (await this.#openStaged(stagedPath, fresh));
    const upload = new StagedUpload(path, stagedPath, options);
    this.#register.add(upload);
    return this.#stagedFile(handle, upload);
  }

  /** Makes a staged file; `undefined` where there is one already. */
  async #create(stagedPath: string, options: OpenOptions): Promise<FileHandle | undefined> {
    try {
      return await this.#openStaged(stagedPath, options);
    } catch (error) {
      if (toFileError(error).code === "EEXIST") return undefined;
      throw error;
    }
  }

  /** Goes on with an upload, from whichever session it is. */
  async #goOn(path: string, options: OpenOptions): Promise<FileHandle> {
    const slot = this.#names.slotOf(path);
    const handle = await this.#openStaged(slot, { ...options, create: false, exclusive: false });
    let upload = this.#register.get(slot);
    if (upload === undefined) {
      upload = new StagedUpload(path, slot, options);
      this.#register.add(upload);
    }
    upload.askBy(options);
    for (const writer of [...upload.writers]) {
      if (writer.staging !== this.#staging) writer.cut();
    }
    return this.#stagedFile(handle, upload);
  }

  #stagedFile(handle: FileHandle, upload: StagedUpload): FileHandle {
    const staged = new StagedFile(this.#staging, handle, upload);
    const selected = selectHandleMethods(staged, (name) => name === "close" || handle[name] !== undefined);
    return passUncountedReads(handle, selected);
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

  #isExpired(attributes: FileAttributes): boolean {
    return isExpired(attributes, this.#keepSeconds);
  }

  /** The entries of a directory that the user sees of its staged files. Those that nobody has come back for are removed. */
  async #entriesOf(directory: string, staged: readonly DirectoryEntry[]): Promise<DirectoryEntry[]> {
    const names = new Set<string>();
    for (const { name, attributes } of staged) {
      const finalName = this.#names.finalName(name);
      if (finalName !== undefined) names.add(finalName);
      else if (this.#isExpired(attributes)) await this.#sweep(joinPath(directory, name));
    }
    for (const { path, stagedPath } of this.#register) {
      if (parentPath(path) === directory && stagedPath === this.#names.slotOf(path)) names.add(lastName(path));
    }
    const entries: DirectoryEntry[] = [];
    for (const name of names) {
      const path = joinPath(directory, name);
      const found = await this.#unfinished(path);
      if (found === undefined) await this.#sweep(this.#names.slotOf(path));
      else if (found.replaced === undefined) entries.push({ name, attributes: found.attributes });
    }
    return entries;
  }

  /** Removes a staged file that nobody has come back for. Where that cannot be done, it is hidden all the same. */
  async #sweep(stagedPath: string): Promise<void> {
    await removeLeft(this.#fileSystem, this.#register, stagedPath, this.#keepSeconds).catch(() => {});
  }
}

function refuseReserved(path: string, code: "ENOENT" | "EACCES"): void {
  if (isReserved(path)) throw new FileError(code);
}

/** What is done about the path itself tells that a link leads there, in its own order. */
function unlessLinkInPath(error: unknown): undefined {
  if (!(error instanceof LinkInPathError)) throw error;
}
