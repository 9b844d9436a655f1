import { ConfigurationError } from "../base/configuration-error.js";
import { loggerOf } from "../base/connection-logger.js";
import { refusalsOf } from "../base/connection-refusals.js";
import type { LogLevel } from "../base/log-level.js";
import { type Logger, resolveLogger } from "../base/logger.js";
import { checkFunction, checkMethods, checkNotUndefined, checkText } from "../base/option-checks.js";
import type { AccessFunction } from "./access-function.js";
import { AccessGuard } from "./access-guard.js";
import { type AccessPolicy, allowAll, POLICY_METHODS } from "./access-policy.js";
import { AccessRefusals } from "./access-refusals.js";
import type { FileServerConnection, FileServerStream } from "./file-server-stream.js";
import type { FileSystem } from "./file-system.js";
import { LocalFileSystem } from "./local/local-file-system.js";
import { normalizePath } from "./path.js";
import { TransferEvents, type TransferListeners } from "./transfer-events.js";
import { checkFileSystem } from "./wrappers/methods.js";

/** The files that are served. */
export type ServedFiles =
  | {
      /** A directory of this machine, which becomes the client's root. It is made if only its last name is missing. */
      readonly rootPath: string;
    }
  | { readonly fileSystem: FileSystem };

/** The logger of a session; a pino logger is one. Without `info`, lines of that level go to `debug`. */
export type FileServerLogger = Pick<Logger, "debug" | "warn"> & Partial<Pick<Logger, "info">>;

/** The files that are served, and the user they are served to. */
export type FilesOptions<Client extends object | undefined = FileServerConnection | undefined> = ServedFiles &
  TransferListeners<Client> & {
    /** The client's home: where relative paths start, and what `~` is. Default: `/`. */
    readonly startDirectory?: string;
    /**
     * Decides what the client may do, beside what the file system allows: a function that is asked about each operation, as
     * `rules` makes one, or a policy by path. Default: all.
     */
    readonly access?: AccessFunction<NonNullable<Client>> | AccessPolicy;
  };

/** The options that an `SFTPServer` and an `SCPServer` share. */
export type FileServerOptions = FilesOptions & {
  /**
   * Gets refusals at debug level, the first of each operation that `access` refuses at info; defects, and clients that
   * break SFTP, at warn. A level is lines on standard error from this level on; `false` is silence. Default: the logger of
   * the manager whose channel it is, and over another stream warnings on standard error.
   */
  readonly logger?: FileServerLogger | LogLevel | false;
};

export interface FilesSettings<Client extends object | undefined = FileServerConnection | undefined>
  extends Required<Pick<FilesOptions<Client>, "access">> {
  readonly fileSystem: FileSystem;
  /** Canonical. */
  readonly startDirectory: string;
  readonly listeners: TransferListeners<Client>;
}

export interface FileServerSettings extends Omit<FilesSettings, "listeners" | "access"> {
  readonly logger: FileServerLogger;
  readonly transfers: TransferEvents;
  /**
   * @param policy asked beside the function of the option `access`, if it is one
   * @param allowsAll whether that policy allows everything
   */
  guard(policy: AccessPolicy, allowsAll?: () => boolean): AccessGuard;
  /** The policy of the option `access`, if it is one, or else one that allows all. */
  readonly policy: AccessPolicy;
}

/** The names of `FilesOptions`. */
export const FILES_OPTIONS = ["rootPath", "fileSystem", "startDirectory", "access", "onUpload", "onDownload"] as const;

/** The names of `FileServerOptions`. */
export const FILE_SERVER_OPTIONS = [...FILES_OPTIONS, "logger"] as const;

/**
 * @param options with names that are known to be right
 * @param stream that the files are served over
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function fileServerSettings(options: FileServerOptions, stream: FileServerStream): FileServerSettings {
  const { listeners, access, ...settings } = filesSettings(options);
  const { connection } = stream;
  const logger = options.logger === undefined ? loggerOf(connection) : resolveFileServerLogger(options.logger);
  const counted = options.logger === undefined ? refusalsOf(connection) : undefined;
  const refusals = counted === undefined ? AccessRefusals.writingTo(withInfo(logger)) : new AccessRefusals(counted);
  const operations = typeof access === "function" ? { decide: access, connection } : undefined;
  return {
    ...settings,
    policy: typeof access === "function" ? allowAll : access,
    guard: (policy, allowsAll) => new AccessGuard(policy, operations, refusals, allowsAll),
    logger,
    transfers: new TransferEvents(listeners, connection, logger),
  };
}

/**
 * @param options with names that are known to be right
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function filesSettings<Client extends object | undefined>(options: FilesOptions<Client>): FilesSettings<Client> {
  const { startDirectory = "/", onUpload, onDownload } = options;
  if (checkText("startDirectory", startDirectory, "a path").includes("\0")) {
    throw new ConfigurationError("startDirectory", "must not hold NUL");
  }
  const { access = allowAll } = checkNotUndefined<FilesOptions<Client>>(options, ["access"]);
  if (Array.isArray(access)) throw new ConfigurationError("access", "is a list: rules([…]) makes a function of it");
  return {
    fileSystem: servedFileSystem(options),
    startDirectory: normalizePath(startDirectory),
    access: typeof access === "function" ? access : checkMethods("access", access, POLICY_METHODS),
    listeners: {
      ...(onUpload !== undefined && { onUpload: checkFunction("onUpload", onUpload) }),
      ...(onDownload !== undefined && { onDownload: checkFunction("onDownload", onDownload) }),
    },
  };
}

function servedFileSystem({ rootPath, fileSystem }: { readonly rootPath?: string; readonly fileSystem?: FileSystem }) {
  if (rootPath !== undefined && fileSystem !== undefined) {
    throw new ConfigurationError("fileSystem", "cannot be given together with rootPath");
  }
  if (fileSystem !== undefined) return checkFileSystem("fileSystem", fileSystem);
  if (rootPath !== undefined) return new LocalFileSystem(rootPath);
  throw new ConfigurationError("rootPath", "must be given, or fileSystem");
}

function resolveFileServerLogger(logger: FileServerLogger | LogLevel | false): FileServerLogger {
  return hasInfo(logger) ? resolveLogger(logger, ["debug", "info", "warn"]) : resolveLogger(logger, ["debug", "warn"]);
}

function hasInfo(logger: FileServerLogger | LogLevel | false): logger is LogLevel | Pick<Logger, LogLevel> {
  return typeof logger === "string" || (typeof logger === "object" && logger?.info !== undefined);
}

function withInfo(logger: FileServerLogger): Pick<Logger, "debug" | "info" | "warn"> {
  const { debug, warn, info = debug } = logger;
  return { debug, info, warn };
}
