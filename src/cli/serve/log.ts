import { type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { LogLevel } from "./serve-options.js";

export interface LogOptions {
  readonly level: LogLevel;
  /** `json` for machines, `text` for people. */
  readonly format: "json" | "text";
  /** The number of this process, where it is one of several workers: each line has it. */
  readonly worker?: number;
}

/**
 * Characters that a terminal may take for a command or the end of a line, and JSON leaves: C1 and bidirectional
 * controls.
 */
const TERMINAL_CONTROLS = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** A logger that writes to standard error at once, so that nothing is lost when the process ends. */
export function createLogger({ level, format, worker }: LogOptions): Logger {
  const options = { level, base: null, ...(worker !== undefined && { mixin: () => ({ worker }) }) };
  if (format === "json") return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(
    { ...options, hooks: { streamWrite: (line) => line.replaceAll(TERMINAL_CONTROLS, "\ufffd") } },
    pretty({
      destination: 2,
      sync: true,
      colorize: process.stderr.isTTY === true,
      translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l",
      singleLine: true,
    }),
  );
}
