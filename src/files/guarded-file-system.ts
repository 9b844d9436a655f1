import { isThenable, type MaybePromise, whenDone } from "../base/maybe-promise.js";
import { AccessDeniedError } from "./access-denied-error.js";
import { type AccessGuard, isRefused } from "./access-guard.js";
import type { AccessMode } from "./access-policy.js";
import { type EntryIterator, iterateEntries } from "./entry-iterator.js";
import { FileError, LinkInPathError } from "./errors.js";
import type { FileOperation } from "./file-operation.js";
import type {
  AttributeChanges,
  DirectoryEntry,
  FileAttributes,
  FileSystem,
  FileSystemStatistics,
  OpenOptions,
} from "./file-system.js";
import { NameChanges } from "./name-changes.js";
import { attributesAt, changeBy, type Make, type OpenedFile, openAsAllowed } from "./open-as-allowed.js";
import { parentPath } from "./path.js";
import { type LastLink, PathResolver } from "./path-resolver.js";
import { openPromptly } from "./prompt-open.js";
import { allowRename } from "./rename-as-allowed.js";
import { visibleEntries } from "./visible-entries.js";

/** Permission bits of a new directory for which the client asks for none. */
const DIRECTORY_PERMISSIONS = 0o777;

/** Attributes of a directory in a file system without `lstat`. */
const SOME_DIRECTORY: FileAttributes = { type: "directory", size: 0, permissions: 0, accessTime: 0, modifyTime: 0 };

export interface OpenedDirectory {
  readonly path: string;
  readonly attributes: FileAttributes;
  /** Without `.` and `..`. */
  readonly entries: EntryIterator;
}

/**
 * A file system as clients use it: with paths of any form, links that are followed where POSIX follows them, and a guard
 * that is asked before each access, with the canonical path that the access then has.
 */
export class GuardedFileSystem {
  readonly fileSystem: FileSystem;
  readonly #access: AccessGuard;
  readonly #resolver: PathResolver;
  readonly #changes: NameChanges;
  readonly #signal: AbortSignal | undefined;

  /** @param signal fires when the client has gone */
  constructor(fileSystem: FileSystem, access: AccessGuard, startDirectory: string, signal?: AbortSignal) {
    this.fileSystem = fileSystem;
    this.#access = access;
    this.#signal = signal;
    this.#changes = new NameChanges(fileSystem, access, signal);
    // A path to nothing counts as a file.
    const demandKnown = (path: string) => access.demandBoth("file", path, "r", "stat");
    const demandVisible = (path: string) => access.demandVisible(path);
    this.#resolver = new PathResolver(fileSystem, startDirectory, { demandKnown, demandVisible, signal });
  }

  async open(path: string, options: OpenOptions): Promise<OpenedFile> {
    return this.openPromptly(path, options);
  }

  /** The same, at once where the file system can and nobody is asked; it may throw. */
  openPromptly(path: string, options: OpenOptions): MaybePromise<OpenedFile> {
    const open = (canonical: string) =>
      this.#access.decides ? this.#openIfAllowed(canonical, options) : this.#open(canonical, options);
    try {
      // O_CREAT with O_EXCL follows no link (POSIX open).
      const opened = this.#resolver.runPromptly(path, options.exclusive ? "keep" : "follow", open);
      if (isThenable(opened)) opened.catch(this.#report);
      return opened;
    } catch (error) {
      this.#report(error);
      throw error;
    }
  }

  async #openIfAllowed(path: string, options: OpenOptions): Promise<OpenedFile> {
    const access = this.#access;
    if (options.read) await access.demandByPolicy("file", path, "r", "read");
    if (options.write || options.create) {
      await access.demandByPolicy("file", path, "w", changeBy(options) ?? "create");
    }
    const permissions = options.create ? await access.policy.getFilePermissions(path) : undefined;
    const given = permissions === undefined ? options : { ...options, permissions };
    const make: Make = (run) => this.#changes.run({ operation: "create", path }, run);
    if (access.asksOperations) return openAsAllowed(this.fileSystem, access, path, this.#withSignal(given), make);
    return given.create
      ? { path, handle: await make(() => openPromptly(this.fileSystem, path, this.#withSignal(given))) }
      : this.#open(path, given);
  }

  #open(path: string, options: OpenOptions): MaybePromise<OpenedFile> {
    return whenDone(openPromptly(this.fileSystem, path, this.#withSignal(options)), (handle) => ({ path, handle }));
  }

  #withSignal(options: OpenOptions): OpenOptions {
    return this.#signal === undefined ? options : { ...options, signal: this.#signal };
  }

  /** The attributes of what a path leads to; with `keep`, of a link itself, unless a slash follows its name. */
  stat(path: string, lastLink: LastLink): Promise<FileAttributes> {
    const last = path.endsWith("/") ? "follow" : lastLink;
    return this.#run(path, last, (canonical) => this.#demand(canonical, "r", last, ["stat"]));
  }

  /** The same with `follow`, and the canonical path that it leads to. */
  locate(path: string): Promise<{ readonly path: string; readonly attributes: FileAttributes }> {
    return this.#run(path, "follow", async (canonical) => ({
      path: canonical,
      attributes: await this.#demand(canonical, "r", "follow", ["stat"]),
    }));
  }

  setstat(path: string, changes: AttributeChanges, lastLink: LastLink): Promise<void> {
    const setstat = this.#method("setstat");
    const operations = operationsOf(changes);
    return this.#run(path, lastLink, (canonical) =>
      this.#changes.runAllowed({ operation: operations[0], path: canonical }, async () => {
        const { type } = await this.#demand(canonical, "w", lastLink, operations);
        const permitted = await this.#permitted(canonical, type, changes);
        return { seen: [[canonical, type]], run: () => setstat(canonical, permitted) };
      }),
    );
  }

  /** Changes a file through a handle that may be open for reading only. */
  async fsetstat(file: OpenedFile, changes: AttributeChanges): Promise<void> {
    const { path, handle } = file;
    if (handle.setstat === undefined) throw new FileError("ENOTSUP");
    const allowed = this.#demandChanges(file, changes);
    allowed.catch(this.#report);
    await allowed;
    await handle.setstat(await this.#permitted(path, "file", changes));
  }

  opendir(path: string): Promise<OpenedDirectory> {
    const readdir = this.#method("readdir");
    return this.#run(path, "follow", async (canonical) => {
      await this.#access.demandBoth("directory", canonical, "r", "list");
      const attributes = (await this.fileSystem.lstat?.(canonical)) ?? SOME_DIRECTORY;
      if (attributes.type === "symlink") throw new LinkInPathError();
      if (attributes.type !== "directory") throw new FileError("ENOTDIR");
      const entries = iterateEntries(await readdir(canonical));
      return { path: canonical, attributes, entries: visibleEntries(entries, canonical, this.#access) };
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
    return this.#run(path, "keep", async (canonical) => {
      await this.#access.demandBoth("file", canonical, "w", "delete");
      await this.#changes.run({ operation: "delete", path: canonical }, () => remove(canonical));
    });
  }

  mkdir(path: string, permissions = DIRECTORY_PERMISSIONS): Promise<void> {
    const mkdir = this.#method("mkdir");
    return this.#run(path, "keep", async (canonical) => {
      await this.#access.demandBoth("directory", canonical, "w", "makeDirectory");
      const given = (await this.#access.policy.getDirectoryPermissions(canonical)) ?? permissions;
      await this.#changes.run({ operation: "makeDirectory", path: canonical }, () => mkdir(canonical, given));
    });
  }

  rmdir(path: string): Promise<void> {
    const rmdir = this.#method("rmdir");
    return this.#run(path, "keep", async (canonical) => {
      await this.#access.demandBoth("directory", canonical, "w", "removeDirectory");
      await this.#changes.run({ operation: "removeDirectory", path: canonical }, () => rmdir(canonical));
    });
  }

  /** @param existing the fate of a file that has the new name */
  rename(oldPath: string, newPath: string, existing: "refuse" | "replace"): Promise<void> {
    this.#method(existing === "refuse" ? "rename" : "posixRename");
    return this.#runBoth(oldPath, newPath, (path, to) =>
      this.#changes.runAllowed({ operation: "rename", path, to }, async () => {
        const { type } = await this.#demand(path, "w", "keep", ["rename"], to);
        const asked = { oldPath: path, newPath: to, type, existing };
        const { method, replaced } = await allowRename(this.fileSystem, this.#access, asked);
        const rename = this.#method(method);
        return {
          reach: type === "directory" ? "tree" : "name",
          seen: [[path, type], ...(replaced ? [[to, replaced.type] as const] : [])],
          run: () => rename(path, to),
        };
      }),
    );
  }

  readlink(path: string): Promise<string> {
    const readlink = this.#method("readlink");
    return this.#run(path, "keep", async (canonical) => {
      await this.#access.demandBoth("file", canonical, "r", "stat");
      return readlink(canonical);
    });
  }

  symlink(target: string, linkPath: string): Promise<void> {
    const symlink = this.#method("symlink");
    return this.#run(linkPath, "keep", async (canonical) => {
      await this.#access.demandBoth("file", canonical, "w", "symlink");
      await this.#changes.run({ operation: "symlink", path: canonical }, () => symlink(target, canonical));
    });
  }

  hardlink(existingPath: string, newPath: string): Promise<void> {
    const access = this.#access;
    const hardlink = this.#method("hardlink");
    return this.#runBoth(existingPath, newPath, async (path, to) => {
      // Under its new name more may be allowed about the file: nobody must get there what they could not get before.
      await access.demandByPolicy("file", path, "r", "hardlink");
      await access.demandByPolicy("file", path, "w", "hardlink");
      await access.demandByPolicy("file", to, "w", "hardlink");
      await access.demand("hardlink", path, { to });
      await access.demand("hardlink", to);
      await access.demandNoMore("hardlink", path, to, false);
      await this.#changes.run({ operation: "hardlink", path, to }, () => hardlink(path, to));
    });
  }

  statvfs(path: string): Promise<FileSystemStatistics> {
    const statvfs = this.#method("statvfs");
    return this.#run(path, "follow", async (canonical) => {
      await this.#demand(canonical, "r", "follow", ["stat"]);
      return statvfs(canonical);
    });
  }

  /**
   * The canonical path without links; only its last name may be missing. Where the client must not look, it does not tell
   * whether anything is there: the path comes back as it was asked for.
   */
  async realpath(path: string): Promise<string> {
    const asked = this.#resolver.normalize(path);
    let resolved: string;
    try {
      resolved = await this.#resolver.resolve(path, "follow");
    } catch (error) {
      const isDenied = error instanceof AccessDeniedError;
      // Behind what is missing there is nothing.
      if (isDenied && error.code === "ENOENT" && error.refusal.path !== asked) throw new FileError("ENOENT");
      if (isDenied || (await this.#isSecret(asked))) return this.#asIfMissing(asked);
      throw error;
    }
    return (await this.#isSecret(resolved)) ? this.#asIfMissing(asked) : resolved;
  }

  /** Runs an operation with the canonical path. What the client is refused is told to the log. */
  #run<T>(path: string, lastLink: LastLink, operation: (canonical: string) => MaybePromise<T>): Promise<T> {
    const done = this.#resolver.run(path, lastLink, operation);
    done.catch(this.#report);
    return done;
  }

  #runBoth<T>(first: string, second: string, operation: (first: string, second: string) => Promise<T>): Promise<T> {
    return this.#run(first, "keep", (canonicalFirst) =>
      this.#resolver.run(second, "keep", (canonicalSecond) => operation(canonicalFirst, canonicalSecond)),
    );
  }

  async #demandChanges({ path, isNew = false }: OpenedFile, changes: AttributeChanges): Promise<void> {
    await this.#access.demandByPolicy("file", path, "w", "attributes");
    for (const operation of operationsOf(changes)) {
      // The size of a new file belongs to what is written into it.
      if (!isNew || operation !== "overwrite") await this.#access.demand(operation, path);
    }
  }

  readonly #report = (error: unknown): void => {
    if (error instanceof AccessDeniedError) this.#access.refusals?.refused(error.refusal);
  };

  async #attributesAbove(path: string, failed: (error: unknown) => void): Promise<FileAttributes | undefined> {
    const parent = parentPath(path);
    let attributes: FileAttributes;
    try {
      attributes = await this.#method("lstat")(parent);
    } catch {
      return undefined;
    }
    try {
      return (await isRefused(() => this.#access.demandBoth(attributes.type, parent, "r", "stat")))
        ? undefined
        : attributes;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  /** What REALPATH tells of a path that the client must not look at. What is hidden is missing, and all below it. */
  async #asIfMissing(path: string): Promise<string> {
    if (path !== "/" && (await this.#access.hides(parentPath(path)))) throw new FileError("ENOENT");
    return path;
  }

  async #isSecret(path: string): Promise<boolean> {
    let attributes: FileAttributes | undefined;
    try {
      attributes = await attributesAt(this.fileSystem, path);
    } catch {
      return false;
    }
    return isRefused(() => this.#access.demandBoth(attributes?.type ?? "file", path, "r", "stat"));
  }

  /** `changes` with the permissions that the policy has for the file. */
  async #permitted(path: string, type: FileAttributes["type"], changes: AttributeChanges): Promise<AttributeChanges> {
    if (changes.permissions === undefined) return changes;
    const { policy } = this.#access;
    const permissions = await (type === "directory"
      ? policy.getDirectoryPermissions(path)
      : policy.getFilePermissions(path));
    return permissions === undefined ? changes : { ...changes, permissions };
  }

  /**
   * Asks about a path, as the kind of thing that is there. A path to nothing counts as a file.
   *
   * @param to the second name, of a rename
   */
  async #demand(
    path: string,
    mode: AccessMode,
    lastLink: LastLink,
    operations: readonly [FileOperation, ...FileOperation[]],
    to?: string,
  ): Promise<FileAttributes> {
    const { fileSystem } = this;
    const lstat = this.#method("lstat");
    let attributes: FileAttributes;
    try {
      attributes = await lstat(path);
    } catch (error) {
      if (!(error instanceof LinkInPathError)) await this.#demandAll("file", path, mode, operations, to);
      throw error;
    }
    if (attributes.type === "symlink" && lastLink === "follow" && fileSystem.readlink !== undefined) {
      throw new LinkInPathError();
    }
    // A user may see what they have written and may go on with.
    const isOwn =
      attributes.unfinished === true && operations[0] === "stat" && (await this.#access.allows("create", path));
    await this.#demandAll(attributes.type, path, mode, isOwn ? ["create"] : operations, to);
    return attributes;
  }

  async #demandAll(
    type: FileAttributes["type"],
    path: string,
    mode: AccessMode,
    operations: readonly [FileOperation, ...FileOperation[]],
    to: string | undefined,
  ): Promise<void> {
    await this.#access.demandByPolicy(type, path, mode, operations[0]);
    const second = to === undefined ? undefined : { to, isDirectory: type === "directory" };
    for (const operation of operations) await this.#access.demand(operation, path, second);
  }

  #method<Name extends MethodName>(name: Name): NonNullable<FileSystem[Name]> {
    const method = this.fileSystem[name];
    if (method === undefined) throw new FileError("ENOTSUP");
    return method.bind(this.fileSystem) as NonNullable<FileSystem[Name]>;
  }
}

type MethodName = Exclude<keyof FileSystem, "userNames" | "groupNames">;

function operationsOf({ size, ...others }: AttributeChanges): readonly [FileOperation, ...FileOperation[]] {
  if (size === undefined) return ["attributes"];
  return Object.keys(others).length === 0 ? ["overwrite"] : ["overwrite", "attributes"];
}
