import { type Logger, resolveLogger } from "../base/logger.js";
import { type AccessPolicy, allowAll } from "./access-policy.js";
import type { FileSystem } from "./file-system.js";
import { LocalFileSystem } from "./local/local-file-system.js";
import { normalizePath } from "./path.js";

/** What is served. */
export type ServedFiles =
  | {
      /** A directory of this machine, which becomes the client's root. It is made if only its last name is missing. */
      readonly rootPath: string;
    }
  | { readonly fileSystem: FileSystem };

/** What a session logs to; a pino logger is one. */
export type FileServerLogger = Pick<Logger, "debug" | "warn">;

/** What an `SFTPServer` and an `SCPServer` take alike. */
export type FileServerOptions = ServedFiles & {
  /** The client's home: where relative paths start, and what `~` is. Default: `/`. */
  readonly startDirectory?: string;
  /** Decides what the client may do, beside what the file system allows. Default: all. */
  readonly access?: AccessPolicy;
  /** What was refused at debug level; defects, and clients that break SFTP, at warn. Default: silent. */
  readonly logger?: FileServerLogger;
};

export interface FileServerSettings {
  readonly fileSystem: FileSystem;
  /** Canonical. */
  readonly startDirectory: string;
  readonly access: AccessPolicy;
  readonly logger: FileServerLogger;
}

/** @throws {ConfigurationError} for a `rootPath` that cannot name a directory */
export function fileServerSettings(options: FileServerOptions): FileServerSettings {
  return {
    fileSystem: "fileSystem" in options ? options.fileSystem : new LocalFileSystem(options.rootPath),
    startDirectory: normalizePath(options.startDirectory ?? "/"),
    access: options.access ?? allowAll,
    logger: resolveLogger(options.logger, ["debug", "warn"]),
  };
}
