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
