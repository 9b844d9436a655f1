import { type FindLogger, findLogger } from "../../base/connection-logger.js";
import type { LoggerOption } from "../../base/logger.js";
import { checkFlag, checkInteger } from "../../base/option-checks.js";

/** The way in which files that decide about logins are read, and the logger that hears of their faults. */
export interface FileOptions {
  /**
   * Hears of each file and line that cannot be used, once, and the reason of each refused login. A level is lines on
   * standard error from this level on; `false` is silence. By default the logger of the manager, and before there is a
   * connection, warnings and errors on standard error.
   */
  readonly logger?: LoggerOption;
  /** Bytes; a larger file is not used. Default 1 MiB for keys, 16 MiB for users and for revoked keys. */
  readonly maxFileSize?: number;
  /**
   * Whether to refuse files that users other than root and the user of this process could change, as StrictModes of
   * sshd_config(5) does, and files with secrets that others can read. Default true. Without effect where the system has no user
   * ids.
   */
  readonly strictModes?: boolean;
}

/** The names of `FileOptions`. */
export const FILE_OPTIONS = ["logger", "maxFileSize", "strictModes"] as const;

/** The options, checked and complete. */
export interface FileSettings extends Required<Omit<FileOptions, "logger">> {
  readonly loggerOf: FindLogger;
}

/** @throws {ConfigurationError} naming the option that cannot be used */
export function resolveFileOptions(
  { logger, maxFileSize, strictModes = true }: FileOptions,
  defaultSize: number,
): FileSettings {
  return {
    loggerOf: findLogger(logger),
    maxFileSize: checkInteger("maxFileSize", maxFileSize ?? defaultSize, 1, Number.MAX_SAFE_INTEGER),
    strictModes: checkFlag("strictModes", strictModes),
  };
}
