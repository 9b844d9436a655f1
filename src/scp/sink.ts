import { FileError } from "../files/errors.js";
import type { AttributeChanges } from "../files/file-system.js";
import type { FileTransfer } from "../files/file-transfer.js";
import type { OpenedFile } from "../files/open-as-allowed.js";
import { FOR_REPLACING } from "../files/open-options.js";
import { decodePath, encodeName, joinPath } from "../files/path.js";
import { type EntryRecord, parseControlRecord, type Times } from "./control-record.js";
import { FatalError, PeerGoneError } from "./errors.js";
import { type Failure, failureOf } from "./failure.js";
import { FileReceiver } from "./file-receiver.js";
import type { Located } from "./locator.js";
import { MAX_DEPTH, type SCPSession } from "./session.js";

/** Bits of permissions that are kept without `-p`: no set-user-ID, set-group-ID or sticky. */
const PLAIN_PERMISSIONS = 0o777;

/** Permission bits that a new directory needs so that it can be filled. */
const OWNER_PERMISSIONS = 0o700;

/** The place that entries go to. */
interface Target {
  readonly path: string;
  /** Entries go into it, with their own names; else the one entry takes its name. */
  readonly isDirectory: boolean;
  /** Directories that this one lies in. */
  readonly depth: number;
}

/** Takes files and directories (`scp -t`). */
export class SCPSink {
  readonly #session: SCPSession;
  readonly #receiver: FileReceiver;

  constructor(session: SCPSession) {
    this.#session = session;
    this.#receiver = new FileReceiver(session.peer);
  }

  /** @throws {SCPEndError} when the session cannot go on */
  async run(): Promise<void> {
    const { command, peer, locator } = this.#session;
    const [path, ...others] = command.paths;
    if (path === undefined || others.length > 0) throw new FatalError("ambiguous target");
    // An obstacle on the way to the target is reported with the first file.
    const located = await locator.locate(path).catch(() => undefined);
    const isDirectory = located?.attributes?.type === "directory";
    if (command.targetIsDirectory && !isDirectory) throw new FatalError(`${path}: Not a directory`);
    await peer.acknowledge();
    await this.#receive({ path, isDirectory, depth: 0 });
  }

  /** Takes what comes until the directory, or all, is at its end. */
  async #receive(target: Target): Promise<void> {
    const { peer } = this.#session;
    let times: Times | undefined;
    for (;;) {
      const line = await peer.readRecord();
      if (line === undefined) {
        if (target.depth > 0) throw new PeerGoneError("the peer has ended in a directory");
        return;
      }
      const record = parseControlRecord(line);
      switch (record.kind) {
        case "times":
          times = record;
          await peer.acknowledge();
          continue;
        case "end":
          if (target.depth === 0) throw new FatalError("protocol error: end of no directory");
          return;
        case "file":
          await this.#receiveFile(target, record, times);
          break;
        case "directory":
          await this.#receiveDirectory(target, record, times);
          break;
      }
      times = undefined;
    }
  }

  async #receiveFile(target: Target, record: EntryRecord, times: Times | undefined): Promise<void> {
    const { peer, tree, command, transfers } = this.#session;
    const path = entryPath(target, record);
    let file: FileTransfer;
    try {
      const located = await this.#locate(path);
      checkReplaceable(path, located);
      const permissions = record.permissions & PLAIN_PERMISSIONS;
      const options = { ...FOR_REPLACING, permissions };
      file = transfers.begin(await tree.open(located.path, options), options);
    } catch (error) {
      return peer.warn(path, error);
    }
    const changes = { ...(command.preserve && { permissions: record.permissions }), ...(times && { times }) };
    const failure = await this.#receiver.receive(file, record.size, () => this.#changeFile(file, changes));
    await this.#answer(path, failure);
  }

  async #receiveDirectory(target: Target, record: EntryRecord, times: Times | undefined): Promise<void> {
    const { peer, tree, command } = this.#session;
    if (!command.recursive) throw new FatalError("protocol error: received directory without -r");
    const path = entryPath(target, record);
    let directory: { readonly path: string; readonly changes: AttributeChanges };
    try {
      if (target.depth === MAX_DEPTH) throw new FileError("ENAMETOOLONG");
      const located = await this.#locate(path);
      const permissions = await this.#makeDirectory(located, record.permissions);
      const wanted = command.preserve ? record.permissions : permissions;
      const changes = { ...(wanted !== undefined && { permissions: wanted }), ...(times && { times }) };
      directory = { path: located.path, changes };
    } catch (error) {
      return peer.warn(path, error);
    }
    await peer.acknowledge();
    await this.#receive({ path: directory.path, isDirectory: true, depth: target.depth + 1 });
    // Only now: its entries change the time, and may not be allowed with its own permissions.
    const failure = await failureOf(async () => {
      if (Object.keys(directory.changes).length > 0) await tree.setstat(directory.path, directory.changes, "keep");
    });
    await this.#answer(path, failure);
  }

  async #changeFile(file: OpenedFile, changes: AttributeChanges): Promise<void> {
    const { tree } = this.#session;
    if (Object.keys(changes).length === 0) return;
    if (file.handle.setstat === undefined) await tree.setstat(file.path, changes, "keep");
    else await tree.fsetstat(file, changes);
  }

  /** @returns the permissions that a new directory is to have at the end, where it cannot have them before */
  async #makeDirectory({ path, attributes }: Located, asked: number): Promise<number | undefined> {
    const { tree } = this.#session;
    if (attributes !== undefined) {
      if (attributes.type !== "directory") throw new FileError("ENOTDIR");
      return undefined;
    }
    const permissions = asked & PLAIN_PERMISSIONS;
    await tree.mkdir(path, permissions | OWNER_PERMISSIONS);
    if ((permissions & OWNER_PERMISSIONS) === OWNER_PERMISSIONS) return undefined;
    const made = await tree.fileSystem.lstat?.(path);
    return made && made.permissions & permissions;
  }

  /** @throws {FileError} when names make a path that is too long */
  #locate(path: string): Promise<Located> {
    return this.#session.locator.locate(decodePath(encodeName(path)));
  }

  #answer(path: string, failure: Failure | undefined): Promise<void> {
    const { peer } = this.#session;
    return failure === undefined ? peer.acknowledge() : peer.warn(path, failure.error);
  }
}

function entryPath({ path, isDirectory }: Target, { name }: EntryRecord): string {
  if (!isDirectory) return path;
  return path.endsWith("/") ? path + name : joinPath(path || ".", name);
}

/** A file that is there is written anew; anything else stays as it is. */
function checkReplaceable(path: string, { attributes }: Located): void {
  if (attributes?.type === "directory") throw new FileError("EISDIR");
  // As open(2) has it, which makes no directories.
  if (attributes === undefined && path.endsWith("/")) throw new FileError("EISDIR");
  if (attributes !== undefined && attributes.type !== "file") {
    throw new FileError("EINVAL", "not a regular file");
  }
}
