import { isThenable, type MaybePromise, whenDone } from "../base/maybe-promise.js";
import { AccessDeniedError, type AccessMode, type AccessPolicy } from "./access-policy.js";
import { type EntryIterator, iterateEntries } from "./entry-iterator.js";
import { FileError, isMissing, LinkInPathError } from "./errors.js";
import type {
  AttributeChanges,
  DirectoryEntry,
  FileAttributes,
  FileHandle,
  FileSystem,
  FileSystemStatistics,
  OpenOptions,
} from "./file-system.js";
import { parentPath } from "./path.js";
import { type LastLink, PathResolver } from "./path-resolver.js";

/** Permission bits of a new directory for which the client asks for none. */
const DIRECTORY_PERMISSIONS = 0o777;

/** Attributes of a directory in a file system without `lstat`. */
const SOME_DIRECTORY: FileAttributes = { type: "directory", size: 0, permissions: 0, accessTime: 0, modifyTime: 0 };

/** A file that is open, and the canonical path it was opened with. */
export interface OpenedFile {
  readonly path: string;
  readonly handle: FileHandle;
}

export interface OpenedDirectory {
  readonly path: string;
  readonly attributes: FileAttributes;
  /** Without `.` and `..`. */
  readonly entries: EntryIterator;
}

/**
 * A file system as clients use it: with paths of any form, links that are followed where POSIX follows them, and a
 * policy that is asked before each access, with the canonical path that the access then has.
 */
export class GuardedFileSystem {
  readonly fileSystem: FileSystem;
  readonly #policy: AccessPolicy;
  readonly #resolver: PathResolver;

  /** @param signal fires when the client has gone */
  constructor(fileSystem: FileSystem, policy: AccessPolicy, startDirectory: string, signal?: AbortSignal) {
    this.fileSystem = fileSystem;
    this.#policy = policy;
    // A path to nothing counts as a file.
    const demandKnown = (path: string) => this.#demandFile(path, "r");
    this.#resolver = new PathResolver(fileSystem, startDirectory, { demandKnown, signal });
  }

  open(path: string, options: OpenOptions): Promise<OpenedFile> {
    const open = this.#method("open");
    // O_CREAT with O_EXCL follows no link (POSIX open).
    return this.#resolver.run(path, options.exclusive ? "keep" : "follow", async (canonical) => {
      // Most policies answer at once.
      const readable = options.read ? this.#demandFile(canonical, "r") : undefined;
      if (isThenable(readable)) await readable;
      const writable = options.write || options.create ? this.#demandFile(canonical, "w") : undefined;
      if (isThenable(writable)) await writable;
      const decided = options.create ? this.#policy.getFilePermissions(canonical) : undefined;
      const permissions = isThenable(decided) ? await decided : decided;
      const handle = await open(canonical, permissions === undefined ? options : { ...options, permissions });
      return { path: canonical, handle };
    });
  }

  /** The attributes of what a path leads to; with `keep`, of a link itself, unless a slash follows its name. */
  stat(path: string, lastLink: LastLink): Promise<FileAttributes> {
    const last = path.endsWith("/") ? "follow" : lastLink;
    return this.#resolver.run(path, last, (canonical) => this.#demand(canonical, "r", last));
  }

  /** The same with `follow`, and the canonical path that it leads to. */
  locate(path: string): Promise<{ readonly path: string; readonly attributes: FileAttributes }> {
    return this.#resolver.run(path, "follow", async (canonical) => ({
      path: canonical,
      attributes: await this.#demand(canonical, "r", "follow"),
    }));
  }

  setstat(path: string, changes: AttributeChanges, lastLink: LastLink): Promise<void> {
    const setstat = this.#method("setstat");
    return this.#resolver.run(path, lastLink, async (canonical) => {
      const { type } = await this.#demand(canonical, "w", lastLink);
      await setstat(canonical, await this.#permitted(canonical, type, changes));
    });
  }

  /** Changes a file through a handle that may be open for reading only. */
  async fsetstat({ path, handle }: OpenedFile, changes: AttributeChanges): Promise<void> {
    if (handle.setstat === undefined) throw new FileError("ENOTSUP");
    await this.#demandFile(path, "w");
    await handle.setstat(await this.#permitted(path, "file", changes));
  }

  opendir(path: string): Promise<OpenedDirectory> {
    const readdir = this.#method("readdir");
    return this.#resolver.run(path, "follow", async (canonical) => {
      await this.#demandDirectory(canonical, "r");
      const attributes = (await this.fileSystem.lstat?.(canonical)) ?? SOME_DIRECTORY;
      if (attributes.type === "symlink") throw new LinkInPathError();
      if (attributes.type !== "directory") throw new FileError("ENOTDIR");
      return { path: canonical, attributes, entries: iterateEntries(await readdir(canonical)) };
    });
  }

  /**
   * `.` and `..` of a directory. If there is nothing above it, or nothing that the client may look at, `..` has the
   * attributes of the directory itself.
   *
   * @param failed hears of an error that the policy has thrown, which refuses
   */
  async dotEntries({ path, attributes }: OpenedDirectory, failed: (error: unknown) => void): Promise<DirectoryEntry[]> {
    const above = await this.#attributesAbove(path, failed);
    return [
      { name: ".", attributes },
      { name: "..", attributes: above ?? attributes },
    ];
  }

  remove(path: string): Promise<void> {
    const remove = this.#method("remove");
    return this.#resolver.run(path, "keep", async (canonical) => {
      await this.#demandFile(canonical, "w");
      await remove(canonical);
    });
  }

  mkdir(path: string, permissions = DIRECTORY_PERMISSIONS): Promise<void> {
    const mkdir = this.#method("mkdir");
    return this.#resolver.run(path, "keep", async (canonical) => {
      await this.#demandDirectory(canonical, "w");
      await mkdir(canonical, (await this.#policy.getDirectoryPermissions(canonical)) ?? permissions);
    });
  }

  rmdir(path: string): Promise<void> {
    const rmdir = this.#method("rmdir");
    return this.#resolver.run(path, "keep", async (canonical) => {
      await this.#demandDirectory(canonical, "w");
      await rmdir(canonical);
    });
  }

  /** @param existing the fate of a file that has the new name */
  rename(oldPath: string, newPath: string, existing: "refuse" | "replace"): Promise<void> {
    const rename = this.#method(existing === "refuse" ? "rename" : "posixRename");
    return this.#resolver.run(oldPath, "keep", (canonicalOld) =>
      this.#resolver.run(newPath, "keep", async (canonicalNew) => {
        const { type } = await this.#demand(canonicalOld, "w", "keep");
        await this.#demandAs(type, canonicalNew, "w");
        // Under its new name it may be open to more: nobody gets to read there what they could not read before.
        const isHidden = await refuses(() => this.#demandAs(type, canonicalOld, "r"));
        if (isHidden && !(await refuses(() => this.#demandAs(type, canonicalNew, "r")))) throw new AccessDeniedError();
        await rename(canonicalOld, canonicalNew);
      }),
    );
  }

  readlink(path: string): Promise<string> {
    const readlink = this.#method("readlink");
    return this.#resolver.run(path, "keep", async (canonical) => {
      await this.#demandFile(canonical, "r");
      return readlink(canonical);
    });
  }

  symlink(target: string, linkPath: string): Promise<void> {
    const symlink = this.#method("symlink");
    return this.#resolver.run(linkPath, "keep", async (canonical) => {
      await this.#demandFile(canonical, "w");
      await symlink(target, canonical);
    });
  }

  hardlink(existingPath: string, newPath: string): Promise<void> {
    const hardlink = this.#method("hardlink");
    return this.#resolver.run(existingPath, "keep", (canonicalExisting) =>
      this.#resolver.run(newPath, "keep", async (canonicalNew) => {
        // Under its new name the file may be open to more: nobody gets there what they had not before.
        await this.#demandFile(canonicalExisting, "r");
        await this.#demandFile(canonicalExisting, "w");
        await this.#demandFile(canonicalNew, "w");
        await hardlink(canonicalExisting, canonicalNew);
      }),
    );
  }

  statvfs(path: string): Promise<FileSystemStatistics> {
    const statvfs = this.#method("statvfs");
    return this.#resolver.run(path, "follow", async (canonical) => {
      await this.#demand(canonical, "r", "follow");
      return statvfs(canonical);
    });
  }

  /**
   * The canonical path without links; only its last name may be missing. Of what the policy hides it does not tell
   * whether it is there: the path comes back as it was asked for.
   */
  async realpath(path: string): Promise<string> {
    const asked = this.#resolver.normalize(path);
    let resolved: string;
    try {
      resolved = await this.#resolver.resolve(path, "follow");
    } catch (error) {
      if (error instanceof AccessDeniedError || (await this.#isHidden(asked))) return asked;
      throw error;
    }
    return (await this.#isHidden(resolved)) ? asked : resolved;
  }

  async #attributesAbove(path: string, failed: (error: unknown) => void): Promise<FileAttributes | undefined> {
    const parent = parentPath(path);
    let attributes: FileAttributes;
    try {
      attributes = await this.#method("lstat")(parent);
    } catch {
      return undefined;
    }
    try {
      return (await refuses(() => this.#demandAs(attributes.type, parent, "r"))) ? undefined : attributes;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  async #isHidden(path: string): Promise<boolean> {
    let type: FileAttributes["type"] = "file";
    try {
      ({ type } = await this.#method("lstat")(path));
    } catch (error) {
      if (!isMissing(error)) return false;
    }
    return refuses(() => this.#demandAs(type, path, "r"));
  }

  /** `changes` with the permissions that the policy has for the file. */
  async #permitted(path: string, type: FileAttributes["type"], changes: AttributeChanges): Promise<AttributeChanges> {
    if (changes.permissions === undefined) return changes;
    const policy = this.#policy;
    const permissions = await (type === "directory"
      ? policy.getDirectoryPermissions(path)
      : policy.getFilePermissions(path));
    return permissions === undefined ? changes : { ...changes, permissions };
  }

  /** Asks the policy about a path, as the kind of thing that is there. A path to nothing counts as a file. */
  async #demand(path: string, mode: AccessMode, lastLink: LastLink): Promise<FileAttributes> {
    const { fileSystem } = this;
    const lstat = this.#method("lstat");
    let attributes: FileAttributes;
    try {
      attributes = await lstat(path);
    } catch (error) {
      if (isMissing(error)) await this.#demandFile(path, mode);
      throw error;
    }
    if (attributes.type === "symlink" && lastLink === "follow" && fileSystem.readlink !== undefined) {
      throw new LinkInPathError();
    }
    await this.#demandAs(attributes.type, path, mode);
    return attributes;
  }

  #demandAs(type: FileAttributes["type"], path: string, mode: AccessMode): MaybePromise<void> {
    return type === "directory" ? this.#demandDirectory(path, mode) : this.#demandFile(path, mode);
  }

  #demandFile(path: string, mode: AccessMode): MaybePromise<void> {
    return demand(this.#policy.checkFileAccess(path, mode));
  }

  #demandDirectory(path: string, mode: AccessMode): MaybePromise<void> {
    return demand(this.#policy.checkDirectoryAccess(path, mode));
  }

  #method<Name extends MethodName>(name: Name): NonNullable<FileSystem[Name]> {
    const method = this.fileSystem[name];
    if (method === undefined) throw new FileError("ENOTSUP");
    return method.bind(this.fileSystem) as NonNullable<FileSystem[Name]>;
  }
}

type MethodName = Exclude<keyof FileSystem, "userNames" | "groupNames">;

/** Whether a policy refuses what is asked. */
async function refuses(ask: () => MaybePromise<void>): Promise<boolean> {
  try {
    await ask();
    return false;
  } catch (error) {
    if (error instanceof AccessDeniedError) return true;
    throw error;
  }
}

/** Only `true` allows. */
function demand(decision: MaybePromise<boolean>): MaybePromise<void> {
  return whenDone(decision, (allowed) => {
    if (allowed !== true) throw new AccessDeniedError();
  });
}
