import { ConfigurationError } from "./configuration-error.js";

type LogMethod = (fields: object, message: string) => void;

/** What the library logs to; a pino logger is one. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

const silent: LogMethod = () => {};

export const silentLogger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

/** @throws {ConfigurationError} naming the method that is not there: what it would be told would be lost */
export function checkLogger(logger: Logger): Logger {
  for (const level of ["debug", "info", "warn", "error"] as const) {
    if (typeof logger?.[level] !== "function") throw new ConfigurationError("logger", `has no method ${level}`);
  }
  return logger;
}

/** A log that cannot be written ends nothing else. */
export function unfailing(logger: Logger): Logger {
  const guard =
    (level: keyof Logger): LogMethod =>
    (fields, message) => {
      try {
        logger[level](fields, message);
      } catch {
        // There is nowhere to tell it.
      }
    };
  return { debug: guard("debug"), info: guard("info"), warn: guard("warn"), error: guard("error") };
}
