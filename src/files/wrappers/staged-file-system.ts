import { endFile } from "../end-file.js";
import { FileError, LinkInPathError, toFileError } from "../errors.js";
import { abortedBy, COMPLETED } from "../file-outcome.js";
import type {
  AttributeChanges,
  DirectoryEntry,
  FileAttributes,
  FileHandle,
  FileSystem,
  FileSystemStatistics,
  OpenOptions,
} from "../file-system.js";
import { FOR_READING, FOR_WRITING } from "../open-options.js";
import { joinPath, lastName, parentPath } from "../path.js";
import { passUncountedReads } from "../uncounted-reads.js";
import { call, selectHandleMethods } from "./methods.js";
import { OldContent, type OldFile } from "./old-content.js";
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
  readonly stagedPath: string;
  /** Absent where it is what is left of one. */
  readonly upload: StagedUpload | undefined;
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
    this.#staging = { fileSystem, register: this.#register, fsync };
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
    await this.#alone(path, async () => {
      const { stagedPath = path, upload } = (await this.#unfinished(path)) ?? {};
      const [writer] = upload?.writers ?? [];
      if (upload?.old !== undefined && writer !== undefined) return writer.setstat(changes);
      await call(this.#fileSystem, "setstat", stagedPath, changes);
      if (upload !== undefined && changes.permissions !== undefined) upload.hasPermissions = true;
    });
  }

  readdir(path: string): AsyncIterable<DirectoryEntry> {
    refuseReserved(path, "ENOENT");
    return new StagedListing(call(this.#fileSystem, "readdir", path), (staged) => this.#entriesOf(path, staged));
  }

  async remove(path: string): Promise<void> {
    refuseReserved(path, "ENOENT");
    await this.#alone(path, async () => {
      const unfinished = await this.#unfinished(path);
      if (unfinished === undefined || unfinished.replaced !== undefined) await call(this.#fileSystem, "remove", path);
      if (unfinished === undefined) return;
      const { upload, stagedPath } = unfinished;
      await removeStaged(this.#fileSystem, stagedPath);
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
    await this.#alone(newPath, async () => {
      const unfinished = await this.#unfinished(newPath);
      await call(this.#fileSystem, "posixRename", oldPath, newPath);
      this.#register.moved(oldPath, newPath);
      if (unfinished === undefined || oldPath === newPath) return;
      const { upload, stagedPath } = unfinished;
      if (upload === undefined) await removeStaged(this.#fileSystem, stagedPath);
      else upload.isShadowed = true;
    });
  }

  #alone<T>(path: string, operation: () => Promise<T>): Promise<T> {
    return this.#register.alone(this.#names.slotOf(path), operation);
  }

  /** The unfinished upload that the user sees at a path. */
  async #unfinished(path: string): Promise<Unfinished | undefined> {
    if (path === "/") return undefined;
    const slot = this.#names.slotOf(path);
    const stagedPath = this.#register.seenAt(slot)?.stagedPath ?? slot;
    const attributes = await attributesAt(this.#fileSystem, stagedPath).catch(unlessLinkInPath);
    if (attributes?.type !== "file") return undefined;
    const upload = this.#register.seenAt(slot);
    if (upload === undefined ? this.#isExpired(attributes) : upload.isShadowed) return undefined;
    const replaced = await attributesAt(this.#fileSystem, path);
    if (replaced !== undefined && replaced.type !== "file") return undefined;
    return { attributes: upload?.old?.of(attributes) ?? attributes, replaced, stagedPath, upload };
  }

  async #openToRead(path: string, options: OpenOptions): Promise<FileHandle> {
    const unfinished = options.create ? undefined : await this.#unfinished(path);
    if (unfinished?.upload?.old?.isNeeded) return this.#alone(path, () => this.#openWhole(path, options));
    if (unfinished !== undefined) return this.#openStaged(unfinished.stagedPath, options);
    if (!options.create) return call(this.#fileSystem, "open", path, options);
    // A client that makes a file and only reads it has made an empty one.
    await this.#refuseTaken(path);
    return call(this.#fileSystem, "open", path, options);
  }

  /** Opens what the user sees, once all of it is in the staged file. */
  async #openWhole(path: string, options: OpenOptions): Promise<FileHandle> {
    const unfinished = await this.#unfinished(path);
    if (unfinished === undefined) return call(this.#fileSystem, "open", path, options);
    await copyOldContent(unfinished);
    return this.#openStaged(unfinished.stagedPath, options);
  }

  async #openToWrite(path: string, options: OpenOptions): Promise<FileHandle> {
    const { create, truncate, exclusive, append } = options;
    const unfinished = await this.#unfinished(path);
    const present = unfinished === undefined ? await attributesAt(this.#fileSystem, path) : unfinished.replaced;
    const isUnderWay = this.#register.seenAt(this.#names.slotOf(path)) !== undefined;
    if ((exclusive && present !== undefined) || (isStrict(options) && isUnderWay)) throw new FileError("EEXIST");
    if (present?.type === "symlink") throw new LinkInPathError();
    // What cannot be written is refused now, as it would be without staging.
    if (present !== undefined && present.type !== "file") return call(this.#fileSystem, "open", path, options);
    const isInPlace = unfinished === undefined && present !== undefined && !truncate;
    if (isInPlace && !writesAnew(options)) return call(this.#fileSystem, "open", path, options);
    if (unfinished === undefined && present === undefined && !create) throw new FileError("ENOENT");
    if (present !== undefined) await this.#checkWritable(path);
    if (unfinished !== undefined && !truncate && (!isStrict(options) || append)) {
      return this.#goOn(path, options, unfinished);
    }
    return isInPlace ? this.#beginOver(path, options, present) : this.#begin(path, options, present);
  }

  async #checkWritable(path: string): Promise<void> {
    await endFile(await call(this.#fileSystem, "open", path, FOR_WRITING), COMPLETED);
  }

  /** Begins an upload anew. */
  async #begin(path: string, options: OpenOptions, replaced: FileAttributes | undefined): Promise<FileHandle> {
    const slot = this.#names.slotOf(path);
    const fresh = freshOptions(options, replaced);
    const isFree = this.#register.seenAt(slot) === undefined;
    let created = isFree ? await this.#create(slot, fresh) : undefined;
    if (isFree && created === undefined) {
      // What is left of an upload is of no use any more.
      await removeStaged(this.#fileSystem, slot);
      created = await this.#create(slot, fresh);
    }
    const stagedPath = created === undefined ? this.#names.uniqueFor(path) : slot;
    const handle = created ?? (await this.#openStaged(stagedPath, fresh));
    return this.#stagedFile(handle, this.#added(new StagedUpload({ path, stagedPath, slot }, options)), options);
  }

  /**
   * Begins to write a file that is there. Where this breaks off, nobody is to find the staged file again: it would be taken
   * for the whole of what its user wants.
   */
  async #beginOver(path: string, options: OpenOptions, replaced: FileAttributes): Promise<FileHandle> {
    const stagedPath = this.#names.uniqueFor(path);
    const oldFile = await this.#openOld(path);
    let old: OldContent | undefined;
    try {
      const { size } = "handle" in oldFile ? ((await oldFile.handle.stat?.()) ?? replaced) : replaced;
      old = new OldContent(oldFile, size);
      const handle = await this.#openStaged(stagedPath, freshOptions(options, replaced));
      const upload = new StagedUpload({ path, stagedPath, slot: this.#names.slotOf(path), old }, options);
      return this.#stagedFile(handle, this.#added(upload), options);
    } catch (error) {
      if ("handle" in oldFile) await endFile(oldFile.handle, abortedBy(error));
      throw error;
    }
  }

  /** One that may be written, but not read, may be written anew all the same. */
  async #openOld(path: string): Promise<OldFile> {
    try {
      return { handle: await call(this.#fileSystem, "open", path, FOR_READING) };
    } catch (error) {
      if (toFileError(error).code !== "EACCES") throw error;
      return { error };
    }
  }

  #added(upload: StagedUpload): StagedUpload {
    this.#register.add(upload);
    return upload;
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
  async #goOn(path: string, options: OpenOptions, unfinished: Unfinished): Promise<FileHandle> {
    const { stagedPath } = unfinished;
    await copyOldContent(unfinished);
    const handle = await this.#openStaged(stagedPath, { ...options, create: false, exclusive: false });
    const upload = unfinished.upload ?? this.#added(new StagedUpload({ path, stagedPath, slot: stagedPath }, options));
    upload.askBy(options);
    for (const writer of [...upload.writers]) {
      if (writer.staging !== this.#staging) writer.cut();
    }
    return this.#stagedFile(handle, upload, options);
  }

  #stagedFile(handle: FileHandle, upload: StagedUpload, { signal }: OpenOptions): FileHandle {
    const staged = new StagedFile(this.#staging, handle, upload, signal);
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
    for (const { path, slot } of this.#register) {
      if (parentPath(path) === directory && slot === this.#names.slotOf(path)) names.add(lastName(path));
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

/** Whether a client opens a file as one that it may find or make, and then writes all of it: so does `scp`. */
function writesAnew({ create, createAsked, read, append }: OpenOptions): boolean {
  return (create || createAsked === true) && !read && !append;
}

/** The options that make a staged file. If it is to replace a file, from the start no more users may read it than that one. */
function freshOptions(options: OpenOptions, replaced: FileAttributes | undefined): OpenOptions {
  const permissions = replaced === undefined ? options.permissions : replaced.permissions & 0o777;
  return {
    ...options,
    ...(permissions !== undefined && { permissions }),
    create: true,
    exclusive: true,
    truncate: false,
  };
}

/** Puts all that its user sees of an upload into the staged file. */
async function copyOldContent({ upload }: Unfinished): Promise<void> {
  const [writer] = upload?.writers ?? [];
  await writer?.copyOldContent();
}

function refuseReserved(path: string, code: "ENOENT" | "EACCES"): void {
  if (isReserved(path)) throw new FileError(code);
}

/** What is done about the path itself tells that a link leads there, in its own order. */
function unlessLinkInPath(error: unknown): undefined {
  if (!(error instanceof LinkInPathError)) throw error;
}
