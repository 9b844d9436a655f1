import { CountedMessages, type NoteLevel } from "../base/counted-messages.js";
import { HookError } from "../base/hook-error.js";
import type { LineLimit } from "../base/line-limit.js";
import { loggedError, loggedText } from "../base/logged-text.js";
import type { Logger } from "../base/logger.js";

/** What the log of one connection is told of its client and of hooks. Of what a client does in vain, the first of each kind is a line. */
export class ConnectionNotes {
  readonly #logger: Logger;
  readonly #serverWarnings: LineLimit;
  #ignored: CountedMessages | undefined;
  #refused: CountedMessages | undefined;
  #warnings: CountedMessages | undefined;

  /** @param serverWarnings that all connections of a server share */
  constructor(logger: Logger, serverWarnings: LineLimit) {
    this.#logger = logger;
    this.#serverWarnings = serverWarnings;
  }

  /** Requests that were refused. */
  get refused(): CountedMessages {
    this.#refused ??= new CountedMessages((kind, details, level) => this.#logRefusal(kind, details, level));
    return this.#refused;
  }

  /** Messages that mean nothing. */
  get ignored(): CountedMessages {
    this.#ignored ??= new CountedMessages((kind) => this.#logger.debug({ kind }, "a message was ignored"));
    return this.#ignored;
  }

  /** What the server's own program does in vain. */
  get warnings(): CountedMessages {
    this.#warnings ??= new CountedMessages((message, fields) => this.#logWarning(message, fields));
    return this.#warnings;
  }

  /** The numbers of all of them, for the record of the connection's end. */
  get counts(): object {
    const ignored = this.#ignored?.counts;
    const refused = this.#refused?.counts;
    const warnings = this.#warnings?.counts;
    return { ...(ignored && { ignored }), ...(refused && { refused }), ...(warnings && { warnings }) };
  }

  readonly hookFailed = (hook: string, error: unknown): void => {
    const failure =
      error instanceof HookError ? { hook: error.hook, err: error.cause } : { hook: loggedText(hook), err: error };
    this.#logger.error(failure, "a hook has failed");
  };

  /** What nothing allows is a warning of the server, however many clients ask: the others of a minute are counted. */
  #logRefusal(reason: string, details: object, level: NoteLevel): void {
    const leftOut = level === "warn" ? this.#serverWarnings.admit(reason) : 0;
    const fields = { reason, ...details, ...(leftOut !== undefined && leftOut > 0 && { leftOut }) };
    this.#logger[leftOut === undefined ? "info" : level](fields, "a request was refused");
  }

  #logWarning(message: string, fields: object): void {
    this.#logger.warn({ ...fields, ...("err" in fields && { err: loggedError(fields.err) }) }, message);
  }
}
