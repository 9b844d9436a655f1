import { execFile } from "node:child_process";
import { type Logger, type LoggerOption, resolveLogger } from "../../base/logger.js";
import { checkOptions } from "../../base/option-checks.js";
import { systemErrorCode } from "../../base/system-error-code.js";

/** Options of `systemdNotifier`. */
export interface SystemdNotifierOptions {
  /** Hears when systemd cannot be told. */
  readonly logger?: LoggerOption;
}

/** Tells systemd how the service fares (sd_notify(3)). Its methods never throw, and wait for nothing. */
export interface SystemdNotifier {
  /** The server listens, or a reload is over. From the first call on the watchdog is told that the event loop turns. */
  ready(): void;
  /** A reload begins; `ready()` ends it. */
  reloading(): void;
  /** The server is being stopped. */
  stopping(): void;
}

/** Of Debian's package `systemd`: Node.js has no datagram sockets of the file system. */
const PROGRAM = "systemd-notify";

/** Milliseconds after which the program is killed; it waits five seconds itself until systemd has read the message. */
const PROGRAM_TIME = 10_000;

/** Messages that may wait for one another. */
const MAX_WAITING = 16;

/** Milliseconds between two signs of life at least: each is a process. */
const SHORTEST_INTERVAL = 100;
const LONGEST_INTERVAL = 2 ** 31 - 1;

const VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/**
 * Tells systemd through its program `systemd-notify`, which the unit has to allow by `NotifyAccess=all`. Where the process was not
 * started by systemd, nothing is told. The variables that say whom to tell are removed, so that no program inherits them: a
 * second call has nobody to tell.
 *
 * @throws {ConfigurationError} naming the option that cannot be used
 */
export function systemdNotifier(options: SystemdNotifierOptions = {}): SystemdNotifier {
  const logger = resolveLogger(checkOptions(options, ["logger"]).logger);
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog, WATCHDOG_PID: watched } = process.env;
  for (const variable of VARIABLES) delete process.env[variable];
  if (socket === undefined || socket === "") return NOBODY;
  const messages = new Messages(socket, logger);
  const isWatched = watchdog !== undefined && (watched === undefined || watched === String(process.pid));
  let interval = isWatched ? intervalOf(watchdog) : undefined;
  if (isWatched && interval === undefined) messages.warn({ WATCHDOG_USEC: watchdog }, "the watchdog cannot be told");
  return {
    ready() {
      messages.send("READY=1");
      if (interval !== undefined) setInterval(() => messages.sendIfIdle("WATCHDOG=1"), interval).unref();
      interval = undefined;
    },
    reloading: () => messages.send("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => messages.send("STOPPING=1"),
  };
}

const NOBODY: SystemdNotifier = { ready() {}, reloading() {}, stopping() {} };

/** @returns milliseconds: half of the time after which systemd takes the process for dead; `undefined` where it cannot be read */
function intervalOf(microseconds: string): number | undefined {
  const time = /^\d{1,16}$/.test(microseconds) ? Number(microseconds) / 2000 : 0;
  return time > 0 ? Math.min(Math.max(time, SHORTEST_INTERVAL), LONGEST_INTERVAL) : undefined;
}

/** The messages of a process, each of which is sent when the one before has been read. */
class Messages {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #logger: Logger;
  readonly #waiting: (readonly string[])[] = [];
  #isSending = false;
  /** The log has that systemd cannot be told. */
  #complained = false;

  constructor(socket: string, logger: Logger) {
    this.#environment = { NOTIFY_SOCKET: socket, PATH: process.env.PATH };
    this.#logger = logger;
  }

  warn(fields: object, message: string): void {
    this.#logger.warn(fields, message);
  }

  send(...assignments: readonly string[]): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#complain("too many messages wait");
      return;
    }
    this.#waiting.push(assignments);
    this.#sendNext();
  }

  /** One that is of no use later. */
  sendIfIdle(assignment: string): void {
    if (!this.#isSending) this.send(assignment);
  }

  #sendNext(): void {
    if (this.#isSending) return;
    const assignments = this.#waiting.shift();
    if (assignments === undefined) return;
    this.#isSending = true;
    const options = { env: this.#environment, timeout: PROGRAM_TIME, killSignal: "SIGKILL" } as const;
    execFile(PROGRAM, [...assignments], options, (error, _stdout, stderr) => {
      this.#isSending = false;
      if (error === null) this.#complained = false;
      else this.#complain(causeOf(error, stderr));
      this.#sendNext();
    });
  }

  #complain(cause: string): void {
    if (!this.#complained) this.warn({ cause }, "systemd could not be told of the server's state");
    this.#complained = true;
  }
}

function causeOf(error: Error, stderr: string): string {
  if (systemErrorCode(error) === "ENOENT") return `the program ${PROGRAM} is not there`;
  const [line = ""] = stderr.split("\n");
  return line === "" ? `${PROGRAM} has failed` : line.slice(0, 200);
}
