import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import type { LineLog, Severity } from "./line-log.js";
import type { Facility } from "./sftp-server-options.js";

type Logger = ChildProcessByStdio<Writable, null, null>;

/** Bytes of lines that wait for syslog; further lines are lost. */
const MAX_WAITING = 1024 * 1024;

/**
 * Syslog through logger(1), which Node.js has no call for: one for each severity, from its first line on. If there is
 * no logger, nothing is logged.
 */
export class Syslog implements LineLog {
  readonly #tag: string;
  readonly #facility: string;
  readonly #loggers = new Map<Severity, Logger>();

  constructor(name: string, facility: Facility) {
    this.#tag = `${name}[${process.pid}]`;
    this.#facility = facility.toLowerCase();
  }

  write(severity: Severity, line: string): void {
    const { stdin } = this.#loggers.get(severity) ?? this.#start(severity);
    if (stdin.writableLength < MAX_WAITING) stdin.write(`${line}\n`);
  }

  /** Lets the loggers end once they have read everything. */
  close(): void {
    for (const { stdin } of this.#loggers.values()) stdin.end();
  }

  #start(severity: Severity): Logger {
    const priority = `${this.#facility}.${severity}`;
    const logger = spawn("logger", ["-t", this.#tag, "-p", priority], { stdio: ["pipe", "ignore", "ignore"] });
    // It may be missing, or end.
    logger.on("error", () => {});
    logger.stdin.on("error", () => {});
    logger.unref();
    this.#loggers.set(severity, logger);
    return logger;
  }
}
