import { availableParallelism } from "node:os";
import { ConfigurationError } from "../base/configuration-error.js";
import { type Logger, type LoggerOption, resolveLogger } from "../base/logger.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { checkFunction, checkInteger, checkLimit, checkNumber, checkOptions } from "../base/option-checks.js";
import { SERVER_OPTIONS } from "../server/create-server.js";
import { MANAGER_OPTIONS } from "../server/settings.js";

/** What a worker is told when it starts. */
export interface WorkerContext<Data = unknown> {
  /** From 1 on. No two workers of one primary have the same. */
  readonly worker: number;
  /** A copy of what `prepare` has returned. */
  readonly data: Data;
  /** Fires when the worker gets no more connections: it is replaced, or all end. */
  readonly signal: AbortSignal;
}

/** Options of `serveWithWorkers`. Those of the server are not among them: `start` gives them to the server that it makes. */
export interface WorkersOptions<Data = unknown> {
  /** The number of processes that serve; `"auto"` is one for each processor that the system gives. */
  readonly workers: number | "auto";
  /**
   * Makes a server and lets it listen, and ends when it does: `await server.listen(…)`. Runs in each worker; the program that calls `serveWithWorkers` is started anew for
   * each. What is returned, a server or anything else with `[Symbol.asyncDispose]`, is disposed of at the end.
   */
  readonly start: (context: WorkerContext<Data>) => MaybePromise<AsyncDisposable | undefined> | MaybePromise<void>;
  /**
   * Runs in the primary, before the workers start and before each reload: for what has to be the same in all of them. Its
   * result goes to `start`, as a structured clone.
   */
  readonly prepare?: () => MaybePromise<Data>;
  /** For the lines of the primary: workers that come and go, connections that are refused. As the option `logger` of a server. */
  readonly logger?: LoggerOption;
  /** Seconds that sessions of a replaced worker go on at most. Default 3600. */
  readonly drainTime?: number;
  /** Seconds that a worker may take to listen. Default 60. */
  readonly startTime?: number;
  /** Seconds after which a worker whose event loop stands still is killed; `false` is never. Default 30. */
  readonly unresponsiveAfter?: number | false;
  /** Seconds that a worker has to live so that its end does not count as a crash at the start. Default 5. */
  readonly minUptime?: number;
  /** Workers that may crash at once, one after the other, before everything ends. Default 5. */
  readonly maxCrashes?: number;
}

const OPTIONS: readonly (keyof WorkersOptions)[] = [
  "workers",
  "start",
  "prepare",
  "logger",
  "drainTime",
  "startTime",
  "unresponsiveAfter",
  "minUptime",
  "maxCrashes",
];

/** The options, checked and complete. Times are in milliseconds unless their name says seconds. */
export interface WorkersSettings {
  readonly count: number;
  readonly start: (context: WorkerContext) => unknown;
  readonly prepare: () => unknown;
  readonly logger: Logger;
  readonly drainSeconds: number;
  readonly startTime: number;
  readonly unresponsiveAfter: number;
  readonly minUptime: number;
  readonly maxCrashes: number;
}

const OF_SERVER: ReadonlySet<string> = new Set([...SERVER_OPTIONS, ...MANAGER_OPTIONS]);

const MAX_WORKERS = 1024;
const DAY = 86_400;

/** @throws {ConfigurationError} naming the option that cannot be used */
export function resolveWorkersOptions<Data>(given: WorkersOptions<Data>): WorkersSettings {
  for (const name in given) checkIsNotOfServer(name);
  const options = checkOptions(given as WorkersOptions, OPTIONS);
  const unresponsiveAfter = options.unresponsiveAfter ?? 30;
  return {
    count: workerCount(options.workers),
    start: checkFunction("start", options.start),
    prepare: options.prepare === undefined ? () => undefined : checkFunction("prepare", options.prepare),
    logger: resolveLogger(options.logger),
    drainSeconds: checkNumber("drainTime", options.drainTime ?? 3600, 0, 7 * DAY),
    startTime: 1000 * checkNumber("startTime", options.startTime ?? 60, 0.1, DAY),
    unresponsiveAfter: 1000 * checkLimit("unresponsiveAfter", unresponsiveAfter, 0.1, DAY, checkNumber),
    minUptime: 1000 * checkNumber("minUptime", options.minUptime ?? 5, 0, DAY),
    maxCrashes: checkInteger("maxCrashes", options.maxCrashes ?? 5, 1, 1000),
  };
}

function checkIsNotOfServer(name: string): void {
  const own: readonly string[] = OPTIONS;
  if (own.includes(name) || !OF_SERVER.has(name)) return;
  throw new ConfigurationError(name, "is an option of the server: give it to the one that `start` makes");
}

function workerCount(workers: number | "auto"): number {
  if (workers === "auto") return availableParallelism();
  if (typeof workers !== "number") throw new ConfigurationError("workers", 'must be a number or "auto"');
  return checkInteger("workers", workers, 1, MAX_WORKERS);
}
