import { type Logger, logLine } from "../../index.js";
import type { LogLevel } from "./serve-options.js";

export interface LogOptions {
  readonly level: LogLevel;
  /** `json` for machines, `text` for people. */
  readonly format: "json" | "text";
  /** The number of this process, where it is one of several workers: each line has it. */
  readonly worker?: number;
}

export interface Log extends Logger {
  /** A log whose lines have these fields, too. */
  child(fields: object): Log;
}

type Level = Exclude<LogLevel, "silent">;

/** As pino and bunyan number them. */
const LEVELS = { debug: 20, info: 30, warn: 40, error: 50, silent: Number.POSITIVE_INFINITY } as const;

/** Writes to standard error, and goes on where nobody reads that. */
export function createLog({ level: lowest, format, worker }: LogOptions): Log {
  process.stderr.on("error", () => {});
  const line = format === "json" ? jsonLine : textLine;
  const withFields = (common: object): Log => {
    const writing = (level: Level) => (fields: object, message: string) => {
      if (LEVELS[level] >= LEVELS[lowest]) process.stderr.write(`${line(level, { ...common, ...fields }, message)}\n`);
    };
    return {
      debug: writing("debug"),
      info: writing("info"),
      warn: writing("warn"),
      error: writing("error"),
      child: (fields) => withFields({ ...common, ...fields }),
    };
  };
  return withFields(worker === undefined ? {} : { worker });
}

function textLine(level: Level, fields: object, message: string): string {
  return logLine(new Date(), level, message, fields);
}

/** The line that pino would write. */
function jsonLine(level: Level, fields: object, message: string): string {
  return JSON.stringify({ level: LEVELS[level], time: Date.now(), ...fields, msg: message }, readable);
}

function readable(_name: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return { ...value, type: name, message, stack, cause };
}

/** Lines of the library that say what the start report, or this command's own last line, says to people as well. */
const TOLD_ALREADY: ReadonlySet<string> = new Set(["the server listens", "the server has stopped"]);

export function withoutToldAlready(log: Log): Logger {
  const info: Logger["info"] = (fields, message) => {
    if (!TOLD_ALREADY.has(message)) log.info(fields, message);
  };
  return { ...log, info };
}
