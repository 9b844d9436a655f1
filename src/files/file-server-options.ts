import { ConfigurationError } from "../base/configuration-error.js";
import { loggerOf } from "../base/connection-logger.js";
import { type Logger, type LoggerOption, resolveLogger } from "../base/logger.js";
import { checkFunction, checkMethods, checkNotUndefined, checkText } from "../base/option-checks.js";
import { type AccessPolicy, allowAll } from "./access-policy.js";
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

/** The logger of a session; a pino logger is one. */
export type FileServerLogger = Pick<Logger, "debug" | "warn">;

/** The files that are served, and to whom. */
export type FilesOptions<Client = FileServerConnection | undefined> = ServedFiles &
  TransferListeners<Client> & {
    /** The client's home: where relative paths start, and what `~` is. Default: `/`. */
    readonly startDirectory?: string;
    /** Decides what the client may do, beside what the file system allows. Default: all. */
    readonly access?: AccessPolicy;
  };

/** The options that an `SFTPServer` and an `SCPServer` share. */
export type FileServerOptions = FilesOptions & {
  /**
   * Gets refusals at debug level; defects, and clients that break SFTP, at warn. A level is lines on standard error from
   * this level on; `false` is silence. Default: the logger of the manager whose channel it is, and over another stream
   * warnings on standard error.
   */
  readonly logger?: LoggerOption<"debug" | "warn">;
};

export interface FilesSettings extends Required<Pick<FilesOptions, "access">> {
  readonly fileSystem: FileSystem;
  /** Canonical. */
  readonly startDirectory: string;
  readonly listeners: TransferListeners;
}

export interface FileServerSettings extends Omit<FilesSettings, "listeners"> {
  readonly logger: FileServerLogger;
  readonly transfers: TransferEvents;
}

/** The names of `FilesOptions`. */
export const FILES_OPTIONS = ["rootPath", "fileSystem", "startDirectory", "access", "onUpload", "onDownload"] as const;

/** The names of `FileServerOptions`. */
export const FILE_SERVER_OPTIONS = [...FILES_OPTIONS, "logger"] as const;

const POLICY_METHODS = [
  "checkFileAccess",
  "checkDirectoryAccess",
  "getFilePermissions",
  "getDirectoryPermissions",
] as const;

/**
 * @param options with names that are known to be right
 * @param stream that the files are served over
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function fileServerSettings(options: FileServerOptions, stream: FileServerStream): FileServerSettings {
  const { listeners, ...settings } = filesSettings(options);
  const { connection } = stream;
  const logger = options.logger === undefined ? loggerOf(connection) : resolveLogger(options.logger, ["debug", "warn"]);
  return { ...settings, logger, transfers: new TransferEvents(listeners, connection, logger) };
}

/**
 * @param options with names that are known to be right
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function filesSettings(options: FilesOptions): FilesSettings {
  const { startDirectory = "/", onUpload, onDownload } = options;
  if (checkText("startDirectory", startDirectory, "a path").includes("\0")) {
    throw new ConfigurationError("startDirectory", "must not hold NUL");
  }
  return {
    fileSystem: servedFileSystem(options),
    startDirectory: normalizePath(startDirectory),
    access: checkMethods("access", checkNotUndefined(options, ["access"]).access ?? allowAll, POLICY_METHODS),
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
