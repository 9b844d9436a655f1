import { ConfigurationError } from "../base/configuration-error.js";
import { loggerOf } from "../base/connection-logger.js";
import { type Logger, type LoggerOption, resolveLogger } from "../base/logger.js";
import { checkFunction, checkMethods, checkNotUndefined, checkText } from "../base/option-checks.js";
import { type AccessPolicy, allowAll } from "./access-policy.js";
import type { FileServerStream } from "./file-server-stream.js";
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

/** The options that an `SFTPServer` and an `SCPServer` share. */
export type FileServerOptions = ServedFiles &
  TransferListeners & {
    /** The client's home: where relative paths start, and what `~` is. Default: `/`. */
    readonly startDirectory?: string;
    /** Decides what the client may do, beside what the file system allows. Default: all. */
    readonly access?: AccessPolicy;
    /**
     * Gets refusals at debug level; defects, and clients that break SFTP, at warn. A level is lines on standard error from
     * this level on; `false` is silence. Default: the logger of the manager whose channel it is, and over another stream
     * warnings on standard error.
     */
    readonly logger?: LoggerOption<"debug" | "warn">;
  };

export interface FileServerSettings {
  readonly fileSystem: FileSystem;
  /** Canonical. */
  readonly startDirectory: string;
  readonly access: AccessPolicy;
  readonly logger: FileServerLogger;
  readonly transfers: TransferEvents;
}

/** The names of `FileServerOptions`. */
export const FILE_SERVER_OPTIONS = [
  "rootPath",
  "fileSystem",
  "startDirectory",
  "access",
  "logger",
  "onUpload",
  "onDownload",
] as const;

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
  const { startDirectory = "/" } = options;
  if (checkText("startDirectory", startDirectory, "a path").includes("\0")) {
    throw new ConfigurationError("startDirectory", "must not hold NUL");
  }
  const logger =
    options.logger === undefined ? loggerOf(stream.connection) : resolveLogger(options.logger, ["debug", "warn"]);
  return {
    fileSystem: servedFileSystem(options),
    startDirectory: normalizePath(startDirectory),
    access: checkMethods("access", checkNotUndefined(options, ["access"]).access ?? allowAll, POLICY_METHODS),
    logger,
    transfers: new TransferEvents(checkTransferListeners(options), stream.connection, logger),
  };
}

/** @param prefix of the names of the options @throws {ConfigurationError} naming the one that is not a function */
export function checkTransferListeners({ onUpload, onDownload }: TransferListeners, prefix = ""): TransferListeners {
  return {
    ...(onUpload !== undefined && { onUpload: checkFunction(`${prefix}onUpload`, onUpload) }),
    ...(onDownload !== undefined && { onDownload: checkFunction(`${prefix}onDownload`, onDownload) }),
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
