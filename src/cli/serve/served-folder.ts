import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type Channel,
  loggedPath,
  NoHomeError,
  type ProbeCommand,
  ProbeServer,
  type SCPCommand,
  SCPServer,
} from "../../index.js";
import {
  type AuditEvent,
  audit,
  type FileOutcome,
  MemoryFileSystem,
  SFTPServer,
  type SFTPServerOptions,
} from "../../sftp/index.js";
import { describeError, StartError } from "../errors.js";
import { channelOrigin } from "./channel-origin.js";
import { type FolderFiles, folderFiles } from "./folder-files.js";
import type { Log } from "./log.js";
import { OPERATION_NAMES } from "./operation-names.js";
import { loadRules } from "./rules-file.js";
import type { FolderOptions } from "./serve-options.js";

/** Milliseconds: a day. */
const SWEEP_INTERVAL = 24 * 60 * 60 * 1000;

interface Transfers {
  readonly closed: Promise<void>;
}

/** A folder that clients reach over SFTP and scp. */
export class ServedFolder {
  /** On the disk, or in memory for a try. */
  readonly kind: "disk" | "memory";
  readonly #files: FolderFiles;
  readonly #logger: Log;
  readonly #sessions: Set<Promise<void>>;
  #sweeping: NodeJS.Timeout | undefined;

  /** @throws {StartError} when there is no such folder, or its rules cannot be used */
  static async open(options: FolderOptions, logger: Log): Promise<ServedFolder> {
    const path = resolve(options.path);
    await requireFolder(path);
    for (const { folder } of options.shared ?? []) await requireFolder(resolve(folder));
    const access = options.rules === undefined ? undefined : await loadRules(options.rules);
    const folder = new ServedFolder(
      "disk",
      { ...folderFiles(path, options, logger), ...(access && { access }) },
      logger,
    );
    folder.#sweepFromTimeToTime();
    return folder;
  }

  /**
   * The same folder with rules that are read now, for sessions that are to come. Of both, this one is told to end.
   *
   * @throws {StartError} when the rules cannot be used
   */
  async withRules(path: string): Promise<ServedFolder> {
    return new ServedFolder(this.kind, { ...this.#files, access: await loadRules(path) }, this.#logger, this.#sessions);
  }

  /** A folder whose files are gone when the server stops. */
  static inMemory(logger: Log): ServedFolder {
    const fileSystem = MemoryFileSystem.from({ "/hello.txt": "These files are in memory.\n" });
    return new ServedFolder("memory", { of: () => fileSystem }, logger);
  }

  private constructor(
    kind: ServedFolder["kind"],
    files: FolderFiles,
    logger: Log,
    sessions = new Set<Promise<void>>(),
  ) {
    this.kind = kind;
    this.#files = files;
    this.#logger = logger;
    this.#sessions = sessions;
  }

  /** The users that the rules name. */
  get usersInRules(): ReadonlySet<string> | undefined {
    return this.#files.access?.users;
  }

  /** Serves SFTP on a channel. */
  serveSFTP(channel: Channel): Promise<boolean> {
    return this.#serve(channel, (settings) => new SFTPServer(channel, settings));
  }

  /** Serves the request of a client's scp. */
  serveSCP(channel: Channel, command: SCPCommand): Promise<boolean> {
    return this.#serve(channel, (settings) => new SCPServer(channel, command, settings));
  }

  /** Answers what a client wants to know by a command. */
  serveProbe(channel: Channel, command: ProbeCommand): Promise<boolean> {
    return this.#serve(channel, (settings) => new ProbeServer(channel, command, settings));
  }

  /** Resolves when no session is left and all files are closed. */
  async ended(): Promise<void> {
    clearInterval(this.#sweeping);
    await Promise.all(this.#sessions);
  }

  /** @returns whether there are files for the user */
  async #serve(channel: Channel, serve: (settings: SFTPServerOptions) => Transfers): Promise<boolean> {
    const logger = this.#logger.child(channelOrigin(channel));
    const { connection } = channel;
    try {
      const fileSystem = await this.#files.of({ user: connection.username ?? "", connection });
      const record = (event: AuditEvent) => logEvent(logger, event);
      const { access } = this.#files;
      this.#track(serve({ fileSystem: audit(fileSystem, { record }), logger, ...(access && { access }) }));
      return true;
    } catch (error) {
      if (!(error instanceof NoHomeError)) throw error;
      logger.warn({ cause: error.message }, "there are no files for this user");
      return false;
    }
  }

  #sweepFromTimeToTime(): void {
    const { sweep } = this.#files;
    if (sweep === undefined) return;
    void this.#sweep(sweep);
    this.#sweeping = setInterval(() => this.#sweep(sweep), SWEEP_INTERVAL).unref();
  }

  async #sweep(sweep: () => Promise<number>): Promise<void> {
    try {
      const files = await sweep();
      if (files > 0) this.#logger.info({ files }, "unfinished uploads removed");
    } catch (err) {
      this.#logger.warn({ err }, "unfinished uploads could not be removed");
    }
  }

  #track({ closed }: Transfers): void {
    const session = closed.then(() => {
      this.#sessions.delete(session);
    });
    this.#sessions.add(session);
  }
}

async function requireFolder(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) return;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = isMissing ? "there is no such folder" : describeError(error);
    throw new StartError(`${path} cannot be served: ${reason}`, { cause: error });
  }
  throw new StartError(`${path} cannot be served: it is not a folder`);
}

/** Opened files and listings are many and tell little: the result for a file is told when it is closed. */
function logEvent(logger: Log, event: AuditEvent): void {
  const { time, duration, error, operation, ...details } = event;
  const escaped = Object.entries(details).map(([name, detail]) => [
    name,
    typeof detail === "string" ? loggedPath(detail) : detail,
  ]);
  const fields = { ...Object.fromEntries(escaped), milliseconds: Math.round(duration) };
  if (operation === "close") logger.info({ ...fields, ...outcomeFields(event.outcome) }, "transfer");
  else if (operation === "open" || operation === "readdir") logger.debug(fields, OPERATION_NAMES[operation]);
  else logger.info(fields, OPERATION_NAMES[operation]);
}

function outcomeFields(outcome: FileOutcome) {
  return outcome.result === "completed" ? { outcome: "completed" } : { outcome: "aborted", reason: outcome.reason };
}
