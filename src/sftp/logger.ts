type LogMethod = (fields: object, message: string) => void;

/** What a session logs to; a pino logger is one. */
export interface SFTPLogger {
  readonly debug: LogMethod;
  readonly warn: LogMethod;
}

export const silentLogger: SFTPLogger = { debug: () => {}, warn: () => {} };

/** A log that cannot be written ends neither the session nor the process. */
export function unfailing(logger: SFTPLogger): SFTPLogger {
  const guard =
    (level: keyof SFTPLogger): LogMethod =>
    (fields, message) => {
      try {
        logger[level](fields, message);
      } catch {
        // There is nowhere to tell it.
      }
    };
  return { debug: guard("debug"), warn: guard("warn") };
}
