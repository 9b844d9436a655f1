import { isThenable, type MaybePromise, whenDone } from "../../base/maybe-promise.js";
import { standsOn } from "../base-path.js";
import { endFile } from "../end-file.js";
import { abortedBy, type FileOutcome } from "../file-outcome.js";
import type { AttributeChanges, DirectoryEntry, FileHandle, FileSystem, OpenOptions } from "../file-system.js";
import { readBytes } from "../read-bytes.js";
import { sizeOf } from "../size-of.js";
import { countRead, readToHash, type UncountedReads, uncounted, withUncountedReads } from "../uncounted-reads.js";
import type { AuditOutcome } from "./audit-event.js";
import { type AuditOptions, AuditTrail, type Beginning, begin, failure, SUCCESS } from "./audit-trail.js";
import { call, callHandle, checkFileSystem, selectHandleMethods, selectMethods } from "./methods.js";

/**
 * Records what is done to a file system: one wrapper for each session,
 * `audit(files, { user: channel.connection.username, record: (event) => log.info(event) })`.
 *
 * - An event is recorded when its operation has ended, well or not, and before the client hears of it. A file makes two:
 *   an `open`, and a `close` with the bytes that were read and written; what a client leaves open is closed when its
 *   session ends, and that event says so: its `outcome` is aborted, its result not `OK`. Looking at attributes, at the targets of links and at free room is not recorded. Requests
 *   that the hooks of the server refuse do not get here.
 * - An operation fails if it cannot be recorded: when `record` throws or rejects. The server logs why. A file that was
 *   opened is closed again; other changes have been made by then and stay. The session goes on.
 *
 * @throws {ConfigurationError} when the file system or an option cannot be used
 */
export function audit(fileSystem: FileSystem, options: AuditOptions): FileSystem {
  checkFileSystem("fileSystem", fileSystem);
  const audited = new AuditedFileSystem(fileSystem, new AuditTrail(options));
  const wrapped = {
    ...selectMethods(fileSystem, () => true),
    ...selectMethods(audited, (name) => fileSystem[name] !== undefined),
  };
  return standsOn(wrapped, fileSystem);
}

/** The calls of a file system, recorded. */
class AuditedFileSystem implements FileSystem {
  readonly #fileSystem: FileSystem;
  readonly #trail: AuditTrail;
  #opened = 0;

  constructor(fileSystem: FileSystem, trail: AuditTrail) {
    this.#fileSystem = fileSystem;
    this.#trail = trail;
  }

  async open(path: string, options: OpenOptions): Promise<FileHandle> {
    const beginning = begin();
    const file = ++this.#opened;
    const { mayPlace, createAsked, signal, ...asked } = options;
    const handle = await this.#trail.run(
      { operation: "open", path, options: asked, file },
      () => call(this.#fileSystem, "open", path, options),
      async (opened, error) => endFile(opened, abortedBy(error)),
    );
    const isMade = options.write && (options.create || createAsked === true || options.truncate);
    const audited = new AuditedFile(handle, this.#trail, { path, file, beginning, isMade });
    const wrapped = {
      ...selectHandleMethods(handle, (name) => name !== "abort"),
      ...selectHandleMethods(audited, (name) => name === "close" || handle[name] !== undefined),
    };
    return withUncountedReads(wrapped, audited.uncountedReads);
  }

  setstat(path: string, changes: AttributeChanges): Promise<void> {
    return this.#trail.run({ operation: "setstat", path, changes }, () =>
      call(this.#fileSystem, "setstat", path, changes),
    );
  }

  async *readdir(path: string): AsyncGenerator<DirectoryEntry, void, undefined> {
    const beginning = begin();
    let entries = 0;
    let outcome: AuditOutcome = SUCCESS;
    try {
      for await (const entry of call(this.#fileSystem, "readdir", path)) {
        entries++;
        yield entry;
      }
    } catch (error) {
      outcome = failure(error);
      throw error;
    } finally {
      await this.#trail.add({ operation: "readdir", path, entries }, beginning, outcome);
    }
  }

  remove(path: string): Promise<void> {
    return this.#trail.run({ operation: "remove", path }, () => call(this.#fileSystem, "remove", path));
  }

  mkdir(path: string, permissions: number): Promise<void> {
    return this.#trail.run({ operation: "mkdir", path, permissions }, () =>
      call(this.#fileSystem, "mkdir", path, permissions),
    );
  }

  rmdir(path: string): Promise<void> {
    return this.#trail.run({ operation: "rmdir", path }, () => call(this.#fileSystem, "rmdir", path));
  }

  rename(oldPath: string, newPath: string): Promise<void> {
    return this.#link("rename", oldPath, newPath);
  }

  posixRename(oldPath: string, newPath: string): Promise<void> {
    return this.#link("posixRename", oldPath, newPath);
  }

  hardlink(existingPath: string, newPath: string): Promise<void> {
    return this.#link("hardlink", existingPath, newPath);
  }

  symlink(target: string, linkPath: string): Promise<void> {
    return this.#trail.run({ operation: "symlink", path: linkPath, target }, () =>
      call(this.#fileSystem, "symlink", target, linkPath),
    );
  }

  #link(operation: "rename" | "posixRename" | "hardlink", path: string, newPath: string): Promise<void> {
    return this.#trail.run({ operation, path, newPath }, () => call(this.#fileSystem, operation, path, newPath));
  }
}

/** The result of an operation whose own part in a file's outcome went well. */
function resultOf(outcome: FileOutcome): AuditOutcome {
  if (outcome.result === "completed") return SUCCESS;
  const { reason, error } = outcome;
  if (reason === "error" && error !== undefined) return failure(error);
  return { result: "ABORTED", ...(error !== undefined && { error }) };
}

interface Opening {
  readonly path: string;
  readonly file: number;
  readonly beginning: Beginning;
  /** It may have been made, or emptied. */
  readonly isMade: boolean;
}

/** The calls of an open file, recorded. */
class AuditedFile implements FileHandle {
  readonly #handle: FileHandle;
  readonly #trail: AuditTrail;
  readonly #opening: Opening;
  #bytesRead = 0;
  #bytesWritten = 0;
  #bytesHashed: number | undefined;
  #wasWritten = false;
  #outcome = SUCCESS;

  constructor(handle: FileHandle, trail: AuditTrail, opening: Opening) {
    this.#handle = handle;
    this.#trail = trail;
    this.#opening = opening;
  }

  /** For reads ahead of the client, and for hashes. */
  get uncountedReads(): UncountedReads {
    return {
      read: (buffer, position) => readBytes(uncounted(this.#handle), buffer, position),
      count: (length) => {
        this.#bytesRead += length;
        countRead(this.#handle, length);
      },
      readToHash: (buffer, position) =>
        whenDone(
          this.#watch(() => readToHash(this.#handle, buffer, position)),
          (length) => {
            this.#bytesHashed = (this.#bytesHashed ?? 0) + length;
            return length;
          },
        ),
    };
  }

  read(buffer: Buffer, position: number): MaybePromise<number> {
    return whenDone(
      this.#watch(() => callHandle(this.#handle, "read", buffer, position)),
      (length) => {
        this.#bytesRead += length;
        return length;
      },
    );
  }

  async write(data: Buffer, position: number): Promise<void> {
    this.#wasWritten = true;
    await this.#watch(() => callHandle(this.#handle, "write", data, position));
    this.#bytesWritten += data.length;
  }

  setstat(changes: AttributeChanges): Promise<void> {
    const { path, file } = this.#opening;
    return this.#trail.run({ operation: "setstat", path, file, changes }, () =>
      callHandle(this.#handle, "setstat", changes),
    );
  }

  fsync(): MaybePromise<void> {
    return this.#watch(() => callHandle(this.#handle, "fsync"));
  }

  async close(outcome: FileOutcome): Promise<void> {
    const { path, file, beginning } = this.#opening;
    const size = await sizeOf(this.#handle);
    try {
      await this.#watch(() => endFile(this.#handle, outcome));
    } finally {
      const bytesRead = this.#bytesRead + (this.#bytesHashed ?? 0);
      const counted = {
        kind: this.#kind,
        bytesRead,
        bytesWritten: this.#bytesWritten,
        ...(size !== undefined && { size }),
      };
      const failed = this.#outcome.result !== "OK" && outcome.result === "completed";
      const ended = failed ? abortedBy(this.#outcome.error) : outcome;
      const details = { operation: "close", path, file, ...counted, outcome: ended } as const;
      await this.#trail.add(details, beginning, this.#outcome === SUCCESS ? resultOf(ended) : this.#outcome);
    }
  }

  get #kind(): "upload" | "download" | "hash" {
    if (this.#wasWritten || this.#opening.isMade) return "upload";
    return this.#bytesHashed !== undefined && this.#bytesRead === 0 ? "hash" : "download";
  }

  #watch<T>(operation: () => MaybePromise<T>): MaybePromise<T> {
    try {
      const result = operation();
      return isThenable(result) ? Promise.resolve(result).catch(this.#failed) : result;
    } catch (error) {
      return this.#failed(error);
    }
  }

  readonly #failed = (error: unknown): never => {
    if (this.#outcome === SUCCESS) this.#outcome = failure(error);
    throw error;
  };
}
