import { Console } from "node:console";
import { LineLimit } from "./line-limit.js";
import { logLine } from "./log-line.js";

/** Lines of one message, and of one hook, that are written in a minute. */
const LINES_PER_MINUTE = 20;

/**
 * The logger where none was given: warnings and errors, one a line on standard error, where nobody can overlook them. The
 * rest is not written. A message that comes all the time is left out at times, and its next line has the number.
 */
export class StderrLogger {
  readonly #limit = new LineLimit(LINES_PER_MINUTE, 60_000);
  readonly #writesInfo: boolean;
  #console: Console | undefined;

  /** @param options.info whether lines at this level are written, too: all of them */
  constructor({ info = false }: { readonly info?: boolean } = {}) {
    this.#writesInfo = info;
  }

  debug(): void {}

  info(fields: object, message: string): void {
    if (this.#writesInfo) this.#print("info", fields, message);
  }

  warn(fields: object, message: string): void {
    this.#write("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#write("error", fields, message);
  }

  #write(level: string, fields: object, message: string): void {
    const hook = "hook" in fields ? ` ${fields.hook}` : "";
    const leftOut = this.#limit.admit(`${level} ${message}${hook}`);
    if (leftOut !== undefined) this.#print(level, leftOut > 0 ? { ...fields, leftOut } : fields, message);
  }

  #print(level: string, fields: object, message: string): void {
    // A console of our own outlives a standard error that nobody reads, and is not one that the program has changed.
    this.#console ??= new Console({ stdout: process.stderr, ignoreErrors: true });
    this.#console.log("%s", logLine(new Date(), level, message, fields));
  }
}
