import type { Socket } from "node:net";
import type { Logger } from "../../base/logger.js";
import type { StreamInfo } from "../../server/stream-info.js";
import type { Stay, Visit } from "./visit.js";
import type { WorkerProcess } from "./worker-process.js";

/** Milliseconds that a client waits for a worker, while all are busy or none is there. */
const WAITING_TIME = 30_000;

const SWEEP_INTERVAL = 5000;

interface Waiting {
  readonly visit: Visit;
  readonly until: number;
}

/** Gives each connection to the worker that has the fewest. Those that none can take yet wait, to a deadline. */
export class HandOver {
  readonly #workers: () => Iterable<WorkerProcess>;
  readonly #logger: Logger;
  /** By server. Their number is bounded by the places that connections take. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #emptied: (() => void)[] = [];
  #lastId = 0;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(workers: () => Iterable<WorkerProcess>, logger: Logger) {
    this.#workers = workers;
    this.#logger = logger;
  }

  add(desk: string, socket: Socket, info: StreamInfo, stay: Stay): void {
    // A reset is told to whoever reads it.
    socket.on("error", () => {});
    const visit = { id: ++this.#lastId, desk, socket, info, stay, head: undefined };
    this.#enqueue(visit);
    this.#dispatch(desk);
  }

  /** A worker can take connections. */
  dispatch(): void {
    for (const desk of this.#waiting.keys()) this.#dispatch(desk);
  }

  /** A worker has ended. Returns the number of connections that have ended with it. */
  lose(worker: WorkerProcess): number {
    const { had, underway } = worker.takeAll();
    for (const visit of had) end(visit);
    for (const visit of underway) this.#enqueue(visit);
    this.dispatch();
    return had.length;
  }

  /** Resolves when no connection waits for a worker. */
  emptied(): Promise<void> {
    return this.#waiting.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#emptied.push(resolve));
  }

  /** Closes what waits, and what no worker takes from now on. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const [desk, queue] of this.#waiting) {
      for (const { visit } of queue) end(visit);
      this.#forget(desk);
    }
  }

  /** None waits for this server. */
  #forget(desk: string): void {
    this.#waiting.delete(desk);
    if (this.#waiting.size > 0) return;
    for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #enqueue(visit: Visit): void {
    if (this.#isClosed) {
      end(visit);
      return;
    }
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL);
    const queue = this.#waiting.get(visit.desk) ?? [];
    this.#waiting.set(visit.desk, queue);
    queue.push({ visit, until: performance.now() + WAITING_TIME });
  }

  #dispatch(desk: string): void {
    const queue = this.#waiting.get(desk) ?? [];
    let done = 0;
    for (const { visit } of queue) {
      if (!this.#send(visit)) break;
      done++;
    }
    if (done === queue.length) this.#forget(desk);
    else queue.splice(0, done);
  }

  /** Returns whether it need not wait. */
  #send(visit: Visit): boolean {
    for (let worker = this.#choose(visit.desk); worker !== undefined; worker = this.#choose(visit.desk)) {
      const outcome = worker.send(visit);
      if (outcome === "lost") end(visit);
      if (outcome !== "over") return true;
    }
    return false;
  }

  #choose(desk: string): WorkerProcess | undefined {
    let chosen: WorkerProcess | undefined;
    for (const worker of this.#workers()) {
      if (!worker.takesConnections || !worker.desks.has(desk)) continue;
      if (chosen === undefined || isLess(worker, chosen)) chosen = worker;
    }
    return chosen;
  }

  /** Ends what has waited for too long: for a worker, or for one to take it. */
  #sweep(): void {
    const now = performance.now();
    const overdue: Visit[] = [...this.#workers()].flatMap((worker) => worker.takeOverdue(WAITING_TIME));
    for (const [desk, queue] of this.#waiting) {
      const rest = queue.filter(({ until }) => until > now);
      overdue.push(...queue.filter(({ until }) => until <= now).map(({ visit }) => visit));
      if (rest.length === 0) this.#forget(desk);
      else this.#waiting.set(desk, rest);
    }
    for (const visit of overdue) end(visit);
    if (overdue.length > 0)
      this.#logger.error({ connections: overdue.length }, "no worker takes connections: some were closed");
  }
}

function isLess(worker: WorkerProcess, other: WorkerProcess): boolean {
  if (worker.connections !== other.connections) return worker.connections < other.connections;
  return worker.admitted < other.admitted;
}

function end({ socket, stay }: Visit): void {
  socket.destroy();
  stay.place.release();
}
