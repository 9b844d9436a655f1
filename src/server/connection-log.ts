import type { LogLevel } from "../base/log-level.js";
import { loggedText } from "../base/logged-text.js";
import { type Logger, mayWrite } from "../base/logger.js";
import type { Connection } from "../session/connection.js";

/** The log of one connection: its lines say whose it is. */
export class ConnectionLog implements Logger {
  readonly #logger: Logger;
  readonly #connection: Connection;

  constructor(logger: Logger, connection: Connection) {
    this.#logger = logger;
    this.#connection = connection;
  }

  /** Whether messages of a level may be written. */
  mayWrite(level: LogLevel): boolean {
    return mayWrite(this.#logger, level);
  }

  debug(fields: object, message: string): void {
    this.#logger.debug(this.#whose(fields), message);
  }

  info(fields: object, message: string): void {
    this.#logger.info(this.#whose(fields), message);
  }

  warn(fields: object, message: string): void {
    this.#logger.warn(this.#whose(fields), message);
  }

  error(fields: object, message: string): void {
    this.#logger.error(this.#whose(fields), message);
  }

  #whose(fields: object): object {
    const { id, remoteAddress, remotePort, username } = this.#connection;
    const user = username && { username: loggedText(username) };
    return { connection: id, remoteAddress, remotePort, ...user, ...fields };
  }
}
