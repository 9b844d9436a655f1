import type { Worker } from "node:cluster";
import { messageOf } from "../../base/is-error.js";
import type { Logger } from "../../base/logger.js";
import { LineError } from "../calls/line-error.js";
import { ProcessLine } from "../calls/process-line.js";
import { BEAT, CONNECTION, COUNT, HELLO, HURRY, RETIRE, START, STOP, type WorkerCounts } from "../messages.js";
import { errorOf } from "../problem.js";
import { sharedNow } from "../shared-clock.js";
import { WorkerStartError } from "../worker-errors.js";
import type { Visit } from "./visit.js";

/**
 * - `starting`: it does not listen yet
 * - `ready`: it could serve
 * - `serving`: it gets connections
 * - `retiring`: it gets no more, and ends after those that it has
 * - `ending`: it was told to end its connections, or is killed
 */
export type WorkerState = "starting" | "ready" | "serving" | "retiring" | "ending";

/** Milliseconds that a worker may take to take a socket; then another one gets it. */
const TAKING_TIME = 1000;

/** Milliseconds that a connection waits for a worker that takes another one first, where those that are free have more connections. */
export const PATIENCE = 20;

/** Milliseconds that a worker gets no socket after one that it could not take. */
const PAUSE = 1000;

/** Milliseconds between two lines about such sockets. */
const QUIET = 60_000;

/** Beats that a worker may miss. */
const MAX_MISSED = 5;

/** Milliseconds between two beats of a worker that may stand still: it tells its counts with them. */
const UNWATCHED_BEAT = 5000;

/** Milliseconds that a worker gets beyond its time to end by itself. */
const LAST_TIME = 5000;

/** How a process has ended. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

interface Underway {
  /** Of the connection, which may be another worker's by now. */
  readonly id: number;
  /** `sharedNow()` from which on it does not take it. */
  readonly until: number;
  /** It has come so late that only the worker knows whether it has taken it. */
  isLate: boolean;
}

/** What else becomes of connections that a worker was sent. */
export interface WorkerObserver {
  /** It has taken one, and could take another. */
  ready(): void;
  /** It has not got one, which waits again. */
  returned(visit: Visit): void;
}

/** One worker, as the primary sees it. */
export class WorkerProcess {
  readonly number: number;
  /** Of all that were started together; a later one has a greater number. */
  readonly generation: number;
  readonly line: ProcessLine;
  /** Resolves when the process has ended. */
  readonly exited: Promise<WorkerExit>;
  /** Servers of it that want connections. */
  readonly desks = new Set<string>();
  readonly #worker: Worker;
  readonly #logger: Logger;
  readonly #visits = new Map<number, Visit>();
  #state: WorkerState = "starting";
  #isInService = false;
  /** A socket that it was sent, of which it is not known whether it has it. Node.js, too, sends one after the other. */
  #underway: Underway | undefined;
  /** `performance.now()` before which it gets none. */
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #saidToPause = Number.NEGATIVE_INFINITY;
  #admitted = 0;
  /** Node.js has told once that a socket has arrived: so it tells this of all. */
  #hasArrived = false;
  /** It has connections of which it does not tell everything at once. */
  #hasUnhurried = false;
  #servingSince = Number.POSITIVE_INFINITY;
  #missedBeats = 0;
  #watch: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #lastCounts: WorkerCounts = { accepted: 0, active: 0, authenticated: 0, bytesReceived: 0, bytesSent: 0 };

  constructor(worker: Worker, number: number, generation: number, logger: Logger) {
    this.#worker = worker;
    this.number = number;
    this.generation = generation;
    this.#logger = logger;
    this.exited = new Promise((resolve) => {
      worker.process.once("exit", (code, signal) => resolve({ code, signal }));
      // A process that could not be started has no exit.
      worker.on("error", (err) => {
        logger.error({ worker: number, err }, "a worker cannot be started, or told something");
        if (worker.process.pid === undefined) resolve({ code: null, signal: null });
      });
    });
    this.line = new ProcessLine(worker.process, { peer: `worker ${number}`, logger });
    this.line.hear(BEAT, (counts) => {
      this.#missedBeats = 0;
      this.#lastCounts = counts;
    });
    void this.exited.then(() => {
      this.#state = "ending";
      clearInterval(this.#watch);
      clearTimeout(this.#deadline);
      this.line.end("it has ended");
    });
    // One that does not keep to the rules, or cannot be heard, is of no use.
    this.line.signal.addEventListener("abort", () => this.#lineOver());
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Connections of which something is left, those under way included. */
  get connections(): number {
    return this.#visits.size;
  }

  /** Connections that were sent to it and not taken back, told refusals not included. */
  get admitted(): number {
    return this.#admitted;
  }

  /** As it has told last. */
  get lastCounts(): WorkerCounts {
    return this.#lastCounts;
  }

  /** One that does not answer counts as it has told last. */
  async counts(): Promise<WorkerCounts> {
    try {
      this.#lastCounts = await this.line.call(COUNT, undefined);
    } catch {}
    return this.#lastCounts;
  }

  /** Whether it can be sent a connection: `soon` where it is about to take another one. */
  get takesConnections(): "now" | "soon" | "no" {
    if (this.#state !== "serving" || this.line.signal.aborted || performance.now() < this.#pausedUntil) return "no";
    if (this.#underway === undefined) return "now";
    return sharedNow() < this.#underway.until - TAKING_TIME + PATIENCE ? "soon" : "no";
  }

  /** It has begun to serve, and was not told to retire or to stop: when it ends, another has to take its place. */
  get isInService(): boolean {
    return this.#isInService;
  }

  /** Milliseconds. */
  get servingFor(): number {
    return Math.max(0, performance.now() - this.#servingSince);
  }

  /**
   * Resolves once it listens. When that fails, the process is ended.
   *
   * @param time milliseconds that it may take
   * @param unresponsiveAfter milliseconds
   * @throws {WorkerStartError}
   */
  async start(data: string, time: number, unresponsiveAfter: number): Promise<void> {
    const begun = performance.now();
    try {
      await this.#greeted(time);
      const isWatched = Number.isFinite(unresponsiveAfter);
      const beatTime = isWatched ? unresponsiveAfter / MAX_MISSED : UNWATCHED_BEAT;
      const seconds = Math.max(0.1, (time - (performance.now() - begun)) / 1000);
      const problem = await this.line.call(START, { data, beatSeconds: beatTime / 1000 }, { seconds });
      if (problem !== undefined) throw errorOf(problem);
      this.#state = "ready";
      if (isWatched) this.#watch = setInterval(() => this.#lookAfter(unresponsiveAfter), beatTime);
    } catch (error) {
      const failure = await this.#startFailure(error, time);
      this.kill();
      throw failure;
    }
  }

  serve(): void {
    this.#state = "serving";
    this.#isInService = true;
    this.#servingSince = performance.now();
  }

  /**
   * Sends a connection.
   *
   * @returns `lost` for one that is closed already; with `over` the worker gets none any more
   */
  send(visit: Visit, observer: WorkerObserver): "sent" | "lost" | "over" {
    const { id, desk, info, socket, stay } = visit;
    const head = readSoFar(visit);
    if (socket.destroyed) return "lost";
    const refusal = stay.kind === "refused" ? stay.reason : undefined;
    const until = sharedNow() + TAKING_TIME;
    const isUrgent = visit.isUrgent || !this.#hasArrived;
    const connection = { id, desk, info, head: head?.toString("base64"), refusal, until, isUrgent };
    const settled = (outcome: "arrived" | "lost") => {
      if (outcome === "arrived") this.#arrived(id);
      else this.#refused(id, observer);
      observer.ready();
    };
    if (!this.line.hand(CONNECTION, connection, socket, settled)) return "over";
    this.#visits.set(id, visit);
    this.#underway = { id, until, isLate: false };
    this.#hasUnhurried ||= !isUrgent;
    if (stay.kind === "admitted") this.#admitted++;
    return "sent";
  }

  /** Somebody may come for the places of its connections: it tells at once what becomes of them. */
  hurry(): void {
    if (!this.#hasUnhurried) return;
    this.#hasUnhurried = false;
    this.line.notify(HURRY, undefined);
  }

  visit(id: number): Visit | undefined {
    return this.#visits.get(id);
  }

  /** It has got the socket of a connection, which may be another worker's by now. */
  taken(id: number): void {
    if (this.#underway?.id !== id) return;
    this.#underway = undefined;
    this.#visits.get(id)?.socket.destroy();
  }

  /**
   * A connection is over.
   *
   * @returns the connection if it was not taken, since it has come too late: somebody has to serve it
   */
  gone(id: number): Visit | undefined {
    if (this.#underway?.id === id) {
      this.#underway = undefined;
      return this.#takeBack(id);
    }
    const visit = this.#visits.get(id);
    this.#visits.delete(id);
    visit?.stay.place.release();
    return undefined;
  }

  /**
   * The connection that it does not take any more, if there is one, which was under way for too long. To be called when all that it
   * has said by then was heard.
   */
  takeOverdue(): Visit | undefined {
    if (this.#underway === undefined || this.#underway.isLate || sharedNow() < this.#underway.until) return undefined;
    return this.#takeBack(this.#underway.id);
  }

  /** The process has ended. Returns its connections: those that it had, and the one that it has not got. */
  takeAll(): { readonly had: readonly Visit[]; readonly underway: Visit | undefined } {
    const underway = this.#underway && this.#takeBack(this.#underway.id);
    const had = [...this.#visits.values()];
    this.#visits.clear();
    return { had, underway };
  }

  #takeBack(id: number): Visit | undefined {
    const visit = this.#visits.get(id);
    this.#visits.delete(id);
    if (visit?.stay.kind === "admitted") this.#admitted--;
    return visit;
  }

  /** Its process has got a socket. */
  #arrived(id: number): void {
    this.#hasArrived = true;
    if (this.#underway?.id !== id) return;
    if (sharedNow() < this.#underway.until) this.taken(id);
    else this.#underway.isLate = true;
  }

  /** Its process could not get a socket. */
  #refused(id: number, observer: WorkerObserver): void {
    if (this.#underway?.id === id) this.#underway = undefined;
    const now = performance.now();
    this.#pausedUntil = now + PAUSE;
    if (now - this.#saidToPause > QUIET) {
      this.#saidToPause = now;
      const cause = "its process has no file descriptor left, or no memory";
      const remedy = "raise its limit of open files (ulimit -n, LimitNOFILE of systemd), or lower maxConnections";
      this.#logger.error(
        { worker: this.number, process: this.pid, cause, remedy },
        "a worker cannot take a connection",
      );
    }
    const visit = this.#takeBack(id);
    if (visit !== undefined) observer.returned(visit);
  }

  /** It gets no more connections, and ends after those that it has; or `seconds` later, if they are given. */
  retire(seconds: number | undefined, grace: number): void {
    if (this.#state === "ending") return;
    this.#state = "retiring";
    this.#isInService = false;
    this.line.notify(RETIRE, { seconds, grace });
    if (seconds !== undefined) this.#killAfter(1000 * (seconds + grace) + LAST_TIME);
  }

  /** It ends its connections, and itself. */
  stop(grace: number): void {
    if (this.#state === "starting") {
      this.kill();
      return;
    }
    this.#state = "ending";
    this.#isInService = false;
    this.line.notify(STOP, { grace });
    this.#killAfter(1000 * grace + LAST_TIME);
  }

  kill(): void {
    this.#state = "ending";
    this.#worker.process.kill("SIGKILL");
  }

  #killAfter(milliseconds: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.kill(), Math.min(milliseconds, 2 ** 31 - 1));
  }

  /** The program has to come to `serveWithWorkers` first. */
  #greeted(time: number): Promise<void> {
    const { signal } = this.line;
    return new Promise((resolve, reject) => {
      const overdue = () => reject(new LineError("late", "the program has not called serveWithWorkers in time"));
      const timer = setTimeout(overdue, time);
      const finish = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", over);
      };
      const over = () => {
        finish();
        reject(signal.reason);
      };
      signal.addEventListener("abort", over);
      this.line.hear(HELLO, () => {
        finish();
        resolve();
      });
      if (signal.aborted) over();
    });
  }

  async #startFailure(error: unknown, time: number): Promise<WorkerStartError> {
    if (error instanceof LineError && error.failure === "gone") {
      const message = `the process has ended with ${describeExit(await this.exited)}`;
      return new WorkerStartError(this.number, "crashed", message, { cause: error });
    }
    if (error instanceof LineError && error.failure === "late") {
      return new WorkerStartError(this.number, "failed", `it does not listen after ${time / 1000} s`, { cause: error });
    }
    return new WorkerStartError(this.number, "failed", messageOf(error), {
      cause: error,
    });
  }

  /** It has closed the channel, and so ends, or does not keep to the rules. */
  #lineOver(): void {
    this.#state = "ending";
    if (this.#worker.process.connected) this.kill();
    else this.#killAfter(LAST_TIME);
  }

  /** A standstill of the primary is none of the worker: beats are counted, not times. */
  #lookAfter(unresponsiveAfter: number): void {
    if (this.#missedBeats++ < MAX_MISSED || this.#state === "ending") return;
    const seconds = unresponsiveAfter / 1000;
    this.#logger.error({ worker: this.number, process: this.pid, seconds }, "a worker does not answer: it is killed");
    this.kill();
  }
}

export function describeExit({ code, signal }: WorkerExit): string {
  if (signal !== null) return `signal ${signal}`;
  return code === null ? "no process" : `exit code ${code}`;
}

/** What this process has read behind the header of a proxy. */
function readSoFar(visit: Visit): Buffer | undefined {
  const { socket } = visit;
  if (socket.bytesRead === 0) return undefined;
  const chunks = visit.head === undefined ? [] : [visit.head];
  for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) chunks.push(chunk);
  visit.head = chunks.length === 0 ? undefined : Buffer.concat(chunks);
  return visit.head;
}
