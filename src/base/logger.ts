import { ConfigurationError } from "./configuration-error.js";
import { LOG_LEVELS, type LogLevel } from "./log-level.js";
import { isThenable } from "./maybe-promise.js";
import { checkMethods, shown } from "./option-checks.js";
import { StderrLogger } from "./stderr-logger.js";
import { ofThisWorker } from "./worker-number.js";

type LogMethod = (fields: object, message: string) => void;

/** The logger of the library; a pino logger is one. */
export interface Logger {
  /** What helps to find a fault. */
  readonly debug: LogMethod;
  /** What has happened. */
  readonly info: LogMethod;
  /** What was refused, or needs somebody's attention. */
  readonly warn: LogMethod;
  /** What has failed. */
  readonly error: LogMethod;
}

/** What an option `logger` may be; a level is lines on standard error, from this level on. */
export type LoggerOption<Levels extends LogLevel = LogLevel> = Pick<Logger, Levels> | LogLevel | false;

const silent: LogMethod = () => {};

export const silentLogger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

/** Whether a logger may write messages of a level: the fields of others need not be put together. */
export function mayWrite(logger: Logger, level: LogLevel): boolean {
  return logger[level] !== silent;
}

/** The logger where none was given, and no connection has one. */
export const stderrLogger = writingFrom("warn");

const stderrLoggers: Readonly<Record<LogLevel, Logger>> = {
  debug: writingFrom("debug"),
  info: writingFrom("info"),
  warn: writingFrom("warn"),
  error: writingFrom("error"),
};

/** A logger for lines at info level that a program has asked for: without a logger of its own they go to standard error. */
export function writingInfo(logger: Logger): Logger {
  return logger === stderrLogger ? stderrLoggers.info : logger;
}

/**
 * The logger of the option `logger`, made so that it never fails; silent for `false`.
 *
 * @param logger `undefined` is a line on standard error for each warning and error
 * @param levels the levels that are used, by default all
 * @throws {ConfigurationError} naming the method that is not there, whose messages would be lost, or the levels that there are
 */
export function resolveLogger(logger: LoggerOption | undefined): Logger;
export function resolveLogger<Level extends LogLevel>(
  logger: LoggerOption<Level> | undefined,
  levels: readonly Level[],
): Pick<Logger, Level>;
export function resolveLogger(
  logger: Partial<Logger> | LogLevel | false | undefined,
  levels: readonly LogLevel[] = LOG_LEVELS,
): Partial<Logger> {
  if (logger === undefined) return stderrLogger;
  if (logger === false) return silentLogger;
  return typeof logger === "string" ? loggerFrom(logger) : unfailing(checkMethods("logger", logger, levels), levels);
}

function loggerFrom(level: LogLevel): Logger {
  if (LOG_LEVELS.includes(level)) return stderrLoggers[level];
  const known = LOG_LEVELS.map((name) => `"${name}"`).join(", ");
  throw new ConfigurationError("logger", `must be a logger, one of the levels ${known}, or false, not ${shown(level)}`);
}

function writingFrom(level: LogLevel): Logger {
  const levels = LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));
  return { ...silentLogger, ...unfailing(new StderrLogger(level), levels) };
}

/** A log that cannot be written ends nothing else. */
function unfailing(logger: Partial<Logger>, levels: readonly LogLevel[]): Partial<Logger> {
  const guard =
    (level: LogLevel): LogMethod =>
    (fields, message) => {
      try {
        const written: unknown = logger[level]?.(ofThisWorker(fields), message);
        // An asynchronous method that rejects would end the process.
        if (isThenable(written)) Promise.resolve(written).catch(() => {});
      } catch {
        // There is nowhere to tell it.
      }
    };
  return Object.fromEntries(levels.map((level) => [level, guard(level)]));
}
