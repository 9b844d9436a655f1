import { describeError } from "../errors.js";
import { printableText } from "../printable-text.js";
import type { LineLog, Severity } from "./line-log.js";
import { SFTP_LOG_LEVELS, type SFTPLogLevel, type SFTPServerCommandOptions } from "./sftp-server-options.js";
import { Syslog } from "./syslog.js";

const LEVELS: Readonly<Record<Severity, SFTPLogLevel>> = { err: "ERROR", info: "INFO", debug: "DEBUG" };

/** The log of `spindlex sftp-server`: a line for each event that its level lets through. */
export class SFTPLog {
  readonly #lines: LineLog;
  readonly #level: number;

  static open({ log, facility, logLevel }: SFTPServerCommandOptions): SFTPLog {
    return new SFTPLog(log === "stderr" ? new StandardError() : new Syslog("spindlex-sftp-server", facility), logLevel);
  }

  constructor(lines: LineLog, level: SFTPLogLevel) {
    this.#lines = lines;
    this.#level = SFTP_LOG_LEVELS.indexOf(level);
  }

  /** Whether lines of a severity are written at all. */
  takes(severity: Severity): boolean {
    return SFTP_LOG_LEVELS.indexOf(LEVELS[severity]) <= this.#level;
  }

  write(severity: Severity, text: string): void {
    if (this.takes(severity)) this.#lines.write(severity, printableText(text));
  }

  /** A failure that the server reports, as its message and its cause. */
  writeFailure(severity: Severity, message: string, fields: object): void {
    const { err, request } = fields as { readonly err?: unknown; readonly request?: unknown };
    const subject = request === undefined ? message : `${message}: ${request}`;
    this.write(severity, err === undefined ? subject : `${subject}: ${describeError(err)}`);
  }

  /** Call it last: all written lines still go out. */
  close(): void {
    this.#lines.close();
  }
}

class StandardError implements LineLog {
  constructor() {
    // An sshd may close it: the session goes on without a log.
    process.stderr.on("error", () => {});
  }

  write(_severity: Severity, line: string): void {
    process.stderr.write(`${line}\n`);
  }

  close(): void {}
}
