import { type Logger, type LoggerOption, resolveLogger, stderrLogger } from "./logger.js";

const loggers = new WeakMap<object, Logger>();

/** Makes a logger the one of a connection: of all that serves this connection and was given none itself. */
export function setLoggerOf(connection: object, logger: Logger): void {
  loggers.set(connection, logger);
}

/** The logger of a connection; without a connection, or where nobody has set one, standard error. */
export function loggerOf(connection: object | undefined): Logger {
  return (connection && loggers.get(connection)) ?? stderrLogger;
}

/** Finds the logger of an object that may serve many connections, of several servers. */
export type FindLogger = (connection?: object) => Logger;

/**
 * The logger of the option `logger`, or where none was given that of each connection.
 *
 * @throws {ConfigurationError} naming the method that is not there, or the levels that there are
 */
export function findLogger(logger: LoggerOption | undefined): FindLogger {
  if (logger === undefined) return loggerOf;
  const resolved = resolveLogger(logger);
  return () => resolved;
}
