import { checkMethods } from "./option-checks.js";
import { StderrLogger } from "./stderr-logger.js";

type LogMethod = (fields: object, message: string) => void;

/** The logger of the library; a pino logger is one. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

export type LogLevel = keyof Logger;

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

const silent: LogMethod = () => {};

export const silentLogger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

/** The logger where none was given, and no connection has one. */
export const stderrLogger = unfailing(new StderrLogger(), LEVELS) as Logger;

const stderrInfoLogger = unfailing(new StderrLogger({ info: true }), LEVELS) as Logger;

/** A logger for lines at info level that a program has asked for: without a logger of its own they go to standard error. */
export function writingInfo(logger: Logger): Logger {
  return logger === stderrLogger ? stderrInfoLogger : logger;
}

/**
 * The logger of the option `logger`, made so that it never fails; silent for `false`.
 *
 * @param logger `undefined` is a line on standard error for each warning and error
 * @param levels the levels that are used, by default all
 * @throws {ConfigurationError} naming the method that is not there: its messages would be lost
 */
export function resolveLogger(logger: Logger | false | undefined): Logger;
export function resolveLogger<Level extends LogLevel>(
  logger: Pick<Logger, Level> | false | undefined,
  levels: readonly Level[],
): Pick<Logger, Level>;
export function resolveLogger(logger: Partial<Logger> | false | undefined, levels = LEVELS): Partial<Logger> {
  if (logger === undefined) return stderrLogger;
  return logger === false ? silentLogger : unfailing(checkMethods("logger", logger, levels), levels);
}

/** A log that cannot be written ends nothing else. */
function unfailing(logger: Partial<Logger>, levels: readonly LogLevel[]): Partial<Logger> {
  const guard =
    (level: LogLevel): LogMethod =>
    (fields, message) => {
      try {
        const written: unknown = logger[level]?.(fields, message);
        // An asynchronous method that rejects would end the process.
        if (written instanceof Promise) written.catch(() => {});
      } catch {
        // There is nowhere to tell it.
      }
    };
  return Object.fromEntries(levels.map((level) => [level, guard(level)]));
}
