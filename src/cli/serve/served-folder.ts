import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Logger } from "pino";
import { type Channel, loggedPath, type ProbeCommand, ProbeServer, type SCPCommand, SCPServer } from "../../index.js";
import {
  type AccessFunction,
  type AuditEvent,
  atomicUploads,
  audit,
  type FileOutcome,
  type FileSystem,
  LocalFileSystem,
  MemoryFileSystem,
  type QuotaUsage,
  quota,
  readOnly,
  SFTPServer,
  sweepUploads,
} from "../../sftp/index.js";
import { describeError, StartError } from "../errors.js";
import { channelOrigin } from "./channel-origin.js";
import { loadRules } from "./rules-file.js";
import type { FolderOptions } from "./serve-options.js";

/** The share of the quota that the log tells of. */
const WARN_AT = 0.9;

/** Milliseconds: a day. */
const SWEEP_INTERVAL = 24 * 60 * 60 * 1000;

interface Circumstances {
  readonly logger: Logger;
  /** All is allowed where it is absent. */
  readonly access?: AccessFunction | undefined;
  /** Files appear when they are whole. */
  readonly isAtomic?: boolean | undefined;
}

/** A folder that clients reach over SFTP and scp. */
export class ServedFolder {
  /** On the disk, or in memory for a try. */
  readonly kind: "disk" | "memory";
  readonly #fileSystem: FileSystem;
  readonly #access: AccessFunction | undefined;
  readonly #logger: Logger;
  readonly #isAtomic: boolean;
  readonly #sessions = new Set<Promise<void>>();
  #sweeping: NodeJS.Timeout | undefined;

  /** @throws {StartError} when there is no such folder, or its rules cannot be used */
  static async open(options: FolderOptions, logger: Logger): Promise<ServedFolder> {
    const path = resolve(options.path);
    await requireFolder(path);
    // One for all sessions: they share the quota.
    let fileSystem: FileSystem = new LocalFileSystem(path);
    if (options.quota !== undefined) fileSystem = quota(fileSystem, { bytes: options.quota, ...warning(logger) });
    if (options.readOnly) fileSystem = readOnly(fileSystem);
    const access = options.rules === undefined ? undefined : await loadRules(options.rules);
    return new ServedFolder("disk", fileSystem, { logger, access, isAtomic: options.atomicUploads });
  }

  /** A folder whose files are gone when the server stops. */
  static inMemory(logger: Logger): ServedFolder {
    const fileSystem = MemoryFileSystem.from({ "/hello.txt": "These files are in memory.\n" });
    return new ServedFolder("memory", fileSystem, { logger });
  }

  private constructor(kind: ServedFolder["kind"], fileSystem: FileSystem, circumstances: Circumstances) {
    const { logger, access, isAtomic = false } = circumstances;
    this.kind = kind;
    this.#fileSystem = fileSystem;
    this.#access = access;
    this.#logger = logger;
    this.#isAtomic = isAtomic;
    if (!isAtomic) return;
    void this.#sweep();
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_INTERVAL).unref();
  }

  /** Serves SFTP on a channel. */
  serveSFTP(channel: Channel): void {
    this.#track(new SFTPServer(channel, this.#settings(channel)));
  }

  /** Serves the request of a client's scp. */
  serveSCP(channel: Channel, command: SCPCommand): void {
    this.#track(new SCPServer(channel, command, this.#settings(channel)));
  }

  /** Answers what a client wants to know by a command. */
  serveProbe(channel: Channel, command: ProbeCommand): void {
    this.#track(new ProbeServer(channel, command, this.#settings(channel)));
  }

  /** Resolves when no session is left and all files are closed. */
  async ended(): Promise<void> {
    clearInterval(this.#sweeping);
    await Promise.all(this.#sessions);
  }

  #settings(channel: Channel) {
    const logger = this.#logger.child(channelOrigin(channel));
    const record = (event: AuditEvent) => logEvent(logger, event);
    const user = channel.connection.username;
    const fileSystem = this.#isAtomic ? atomicUploads(this.#fileSystem, { user }) : this.#fileSystem;
    const access = this.#access;
    return { fileSystem: audit(fileSystem, { record }), logger, ...(access && { access }) };
  }

  async #sweep(): Promise<void> {
    try {
      const files = await sweepUploads(this.#fileSystem);
      if (files > 0) this.#logger.info({ files }, "unfinished uploads removed");
    } catch (err) {
      this.#logger.warn({ err }, "unfinished uploads could not be removed");
    }
  }

  #track({ closed }: { readonly closed: Promise<void> }): void {
    const session = closed.then(() => {
      this.#sessions.delete(session);
    });
    this.#sessions.add(session);
  }
}

function warning(logger: Logger) {
  const onWarning = (usage: QuotaUsage) => logger.warn({ ...usage }, "the quota is nearly used up");
  return { warnAt: WARN_AT, onWarning };
}

async function requireFolder(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) return;
  } catch (error) {
    throw new StartError(`${path} cannot be served: ${describeError(error)}`, { cause: error });
  }
  throw new StartError(`${path} cannot be served: it is not a folder`);
}

/** Opened files and listings are many and tell little: the result for a file is told when it is closed. */
function logEvent(logger: Logger, event: AuditEvent): void {
  const { time, duration, error, operation, ...details } = event;
  const escaped = Object.entries(details).map(([name, detail]) => [
    name,
    typeof detail === "string" ? loggedPath(detail) : detail,
  ]);
  const fields = { ...Object.fromEntries(escaped), milliseconds: Math.round(duration) };
  if (operation === "close") logger.info({ ...fields, ...outcomeFields(event.outcome) }, "transfer");
  else if (operation === "open" || operation === "readdir") logger.debug(fields, operation);
  else logger.info(fields, operation);
}

function outcomeFields(outcome: FileOutcome) {
  return outcome.result === "completed" ? { outcome: "completed" } : { outcome: "aborted", reason: outcome.reason };
}
