import { LineLimit } from "./line-limit.js";
import { LOG_LEVELS, type LogLevel } from "./log-level.js";
import { logLine } from "./log-line.js";

/** Warnings or errors of one message, and of one hook, that are written in a minute. */
const LINES_PER_MINUTE = 20;

/**
 * A logger that writes one line for each message to standard error, from a level on. A warning or an error that comes all
 * the time is left out at times, and its next line has the number. Lines of the levels below were asked for: all are written.
 */
export class StderrLogger {
  readonly #limit = new LineLimit(LINES_PER_MINUTE, 60_000);
  readonly #lowest: number;

  /** @param level the lowest that is written */
  constructor(level: LogLevel) {
    this.#lowest = LOG_LEVELS.indexOf(level);
  }

  debug(fields: object, message: string): void {
    if (this.#writes("debug")) this.#print("debug", fields, message);
  }

  info(fields: object, message: string): void {
    if (this.#writes("info")) this.#print("info", fields, message);
  }

  warn(fields: object, message: string): void {
    if (this.#writes("warn")) this.#printAtTimes("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#printAtTimes("error", fields, message);
  }

  #writes(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= this.#lowest;
  }

  #printAtTimes(level: LogLevel, fields: object, message: string): void {
    const hook = "hook" in fields ? ` ${fields.hook}` : "";
    const leftOut = this.#limit.admit(`${level} ${message}${hook}`);
    if (leftOut !== undefined) this.#print(level, leftOut > 0 ? { ...fields, leftOut } : fields, message);
  }

  #print(level: LogLevel, fields: object, message: string): void {
    if (!process.stderr.listeners("error").includes(outlive)) process.stderr.on("error", outlive);
    process.stderr.write(`${logLine(new Date(), level, message, fields)}\n`);
  }
}

/** A closed standard error must not end a server. The error may come long after the line was written. */
function outlive(): void {}
