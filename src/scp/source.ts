import { FileError } from "../files/errors.js";
import { abortedBy, COMPLETED, type FileOutcome } from "../files/file-outcome.js";
import type { DirectoryEntry, FileAttributes } from "../files/file-system.js";
import type { OpenedFile } from "../files/open-as-allowed.js";
import { FOR_READING } from "../files/open-options.js";
import { joinPath, lastName, normalizePath } from "../files/path.js";
import { type EntryRecord, formatEntry, formatTimes } from "./control-record.js";
import { PeerFailureError } from "./errors.js";
import { failureOf } from "./failure.js";
import { FileSender } from "./file-sender.js";
import { Glob } from "./glob.js";
import { MAX_DEPTH, type SCPSession } from "./session.js";

/** All bits of permissions but sticky, as OpenSSH sends them. */
const SENT_PERMISSIONS = 0o6777;

/** A file or directory that is to be sent. */
interface Item {
  /** Canonical, without links. */
  readonly path: string;
  /** As the client knows it. */
  readonly shownPath: string;
  readonly name: string;
  readonly attributes: FileAttributes;
  /** Canonical paths of the directories that it is sent with. */
  readonly ancestors: readonly string[];
}

/** Gives files and directories (`scp -f`). */
export class SCPSource {
  readonly #session: SCPSession;
  readonly #sender: FileSender;

  constructor(session: SCPSession) {
    this.#session = session;
    this.#sender = new FileSender(session.peer);
  }

  /** @throws {SCPEndError} when the session cannot go on */
  async run(): Promise<void> {
    const { command, peer, tree } = this.#session;
    const glob = new Glob(tree, peer);
    await peer.readAnswer();
    for (const pattern of command.paths) {
      const paths = await this.#attempt(pattern, () => glob.expand(pattern));
      for (const path of paths ?? []) await this.#sendPath(path);
    }
  }

  async #sendPath(path: string): Promise<void> {
    const absolute = path.startsWith("/") ? path : `${this.#session.startDirectory}/${path}`;
    // The root has no name; `.` is what OpenSSH sends for a directory that is called so.
    const name = lastName(normalizePath(absolute)) || ".";
    const item = await this.#attempt(path, () => this.#locate(path, { shownPath: path, name, ancestors: [] }));
    if (item !== undefined) await this.#send(item);
  }

  async #locate(path: string, rest: Pick<Item, "shownPath" | "name" | "ancestors">): Promise<Item> {
    return { ...rest, ...(await this.#session.tree.locate(path)) };
  }

  async #send(item: Item): Promise<void> {
    const { type } = item.attributes;
    if (type === "file") return this.#sendFile(item);
    if (type === "directory" && this.#session.command.recursive) return this.#sendDirectory(item);
    await this.#session.peer.warn(item.shownPath, new FileError("EINVAL", "not a regular file"));
  }

  async #sendFile(item: Item): Promise<void> {
    const { peer, tree, transfers } = this.#session;
    const file = await this.#attempt(item.shownPath, () => tree.open(item.path, FOR_READING));
    if (file === undefined) return;
    const transfer = transfers.begin(file, FOR_READING);
    let outcome: FileOutcome = COMPLETED;
    try {
      const attributes = await this.#attempt(item.shownPath, () => attributesOf(file, item.attributes));
      if (attributes === undefined || !(await this.#announce("file", item.name, attributes))) return;
      const failure = await this.#sender.send(transfer, attributes.size);
      if (failure === undefined) await peer.acknowledge();
      else await peer.warn(item.shownPath, failure.error);
      if ((await peer.readAnswer()) === "refused") outcome = abortedBy(new PeerFailureError());
    } catch (error) {
      outcome = peer.outcomeOf(error);
      throw error;
    } finally {
      // Nothing was written: what a close could report is of no use to the client.
      await failureOf(() => transfer.end(outcome));
    }
  }

  async #sendDirectory(item: Item): Promise<void> {
    const { peer, tree } = this.#session;
    const { path, shownPath, ancestors } = item;
    const directory = await this.#attempt(shownPath, () => {
      if (ancestors.includes(path) || ancestors.length >= MAX_DEPTH) throw new FileError("ELOOP");
      return tree.opendir(path);
    });
    if (directory === undefined) return;
    try {
      if (!(await this.#announce("directory", item.name, { ...item.attributes, size: 0 }))) return;
      for (;;) {
        const entry = await this.#attempt(shownPath, async () => directory.entries.next());
        if (entry === undefined) break;
        await this.#sendEntry(item, entry);
      }
      await peer.write(Buffer.from("E\n"));
      await peer.readAnswer();
    } finally {
      await failureOf(() => directory.entries.return());
    }
  }

  async #sendEntry(directory: Item, { name, attributes }: DirectoryEntry): Promise<void> {
    const path = joinPath(directory.path, name);
    const shownPath = joinPath(directory.shownPath, name);
    const rest = { shownPath, name, ancestors: [...directory.ancestors, directory.path] };
    const item =
      attributes.type === "symlink"
        ? await this.#attempt(shownPath, () => this.#locate(path, rest))
        : { ...rest, path, attributes };
    if (item !== undefined) await this.#send(item);
  }

  /** Tells what comes next. @returns whether the peer takes it */
  async #announce(kind: EntryRecord["kind"], name: string, attributes: FileAttributes): Promise<boolean> {
    const { peer, command } = this.#session;
    if (command.preserve) {
      await peer.write(formatTimes(attributes));
      if ((await peer.readAnswer()) !== "ok") return false;
    }
    const permissions = attributes.permissions & SENT_PERMISSIONS;
    await peer.write(formatEntry({ kind, name, permissions, size: attributes.size }));
    return (await peer.readAnswer()) === "ok";
  }

  /** Runs what only concerns one file; its failure is told to the peer. */
  async #attempt<T>(shownPath: string, operation: () => T | Promise<T>): Promise<T | undefined> {
    let error: unknown;
    try {
      return await operation();
    } catch (thrown) {
      error = thrown;
    }
    await this.#session.peer.warn(shownPath, error);
    return undefined;
  }
}

async function attributesOf({ handle }: OpenedFile, known: FileAttributes): Promise<FileAttributes> {
  const attributes = (await handle.stat?.()) ?? known;
  if (attributes.type !== "file") throw new FileError("EINVAL", "not a regular file");
  return attributes;
}
