import type { Socket } from "node:net";
import type { Logger } from "../../base/logger.js";
import type { StreamInfo } from "../../server/stream-info.js";
import type { Stay, Visit } from "./visit.js";
import { PATIENCE, type WorkerObserver, type WorkerProcess } from "./worker-process.js";

/** Milliseconds that a client waits for a worker, while all are busy or none is there. */
const WAITING_TIME = 30_000;

const SWEEP_INTERVAL = 1000;

/** Gives each connection to the worker that has the fewest. Those that none can take yet wait, to a deadline. */
export class HandOver {
  readonly #workers: () => Iterable<WorkerProcess>;
  readonly #logger: Logger;
  /** By server. Their number is bounded by the places that connections take. */
  readonly #waiting = new Map<string, Visit[]>();
  readonly #emptied: (() => void)[] = [];
  #lastId = 0;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(workers: () => Iterable<WorkerProcess>, logger: Logger) {
    this.#workers = workers;
    this.#logger = logger;
  }

  readonly #observer: WorkerObserver = {
    ready: () => this.dispatch(),
    returned: (visit) => this.#again(visit),
  };

  add(desk: string, socket: Socket, info: StreamInfo, stay: Stay): void {
    // A reset is told to whoever reads it.
    socket.on("error", () => {});
    stopReading(socket);
    const until = performance.now() + WAITING_TIME;
    const isUrgent = stay.kind === "refused" || stay.place.isScarce === true;
    const visit = { id: ++this.#lastId, desk, socket, info, stay, until, isUrgent, head: undefined };
    if (!this.#isClosed && !this.#waiting.has(desk) && this.#send(visit)) return;
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
    if (underway !== undefined) this.#again(underway);
    this.dispatch();
    return had.length;
  }

  /** A connection of a worker is over, or was not taken. */
  gone(worker: WorkerProcess, id: number): void {
    const visit = worker.gone(id);
    if (visit !== undefined) this.#again(visit);
  }

  /** Somebody may come for a place: workers tell at once what becomes of connections. */
  hurry(): void {
    for (const worker of this.#workers()) worker.hurry();
  }

  /** Resolves when no connection waits for a worker. */
  emptied(): Promise<void> {
    return this.#waiting.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#emptied.push(resolve));
  }

  /** Closes what waits, and what no worker takes from now on. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    for (const [desk, queue] of this.#waiting) {
      for (const visit of queue) end(visit);
      this.#forget(desk);
    }
  }

  /** None waits for this server. */
  #forget(desk: string): void {
    this.#waiting.delete(desk);
    if (this.#waiting.size > 0) return;
    for (const resolve of this.#emptied.splice(0)) resolve();
  }

  /** By another number: the worker that has not taken it may yet say something of the old one. */
  #again(visit: Visit): void {
    this.#enqueue({ ...visit, id: ++this.#lastId });
  }

  #enqueue(visit: Visit): void {
    if (this.#isClosed) {
      end(visit);
      return;
    }
    // Places may be scarce by the time when a worker gets it.
    visit.isUrgent = true;
    const queue = this.#waiting.get(visit.desk) ?? [];
    this.#waiting.set(visit.desk, queue);
    queue.push(visit);
  }

  #dispatch(desk: string): void {
    const queue = this.#waiting.get(desk) ?? [];
    let done = 0;
    for (const visit of queue) {
      if (!this.#send(visit)) break;
      done++;
    }
    if (done === queue.length) this.#forget(desk);
    else queue.splice(0, done);
  }

  /** Returns whether the visit is dealt with: a worker gets it, or it is over. */
  #send(visit: Visit): boolean {
    // What has come from workers meanwhile is heard first, also where this process stood still.
    this.#timer ??= setInterval(() => setImmediate(() => this.#sweep()), SWEEP_INTERVAL);
    for (let worker = this.#choose(visit.desk); worker !== undefined; worker = this.#choose(visit.desk)) {
      const outcome = worker.send(visit, this.#observer);
      if (outcome === "lost") end(visit);
      if (outcome !== "over") return true;
    }
    return false;
  }

  #tryAgain(): void {
    this.#retry = undefined;
    this.dispatch();
  }

  #choose(desk: string): WorkerProcess | undefined {
    let chosen: WorkerProcess | undefined;
    let isFree = false;
    for (const worker of this.#workers()) {
      const takes = worker.desks.has(desk) ? worker.takesConnections : "no";
      if (takes === "no" || (chosen !== undefined && !isLess(worker, chosen))) continue;
      chosen = worker;
      isFree = takes === "now";
    }
    if (isFree) return chosen;
    // It says so when it has taken the other one; if it does not, somebody else gets this.
    if (chosen !== undefined) this.#retry ??= setTimeout(() => this.#tryAgain(), PATIENCE + 1);
    return undefined;
  }

  /** Others get what a worker does not take; what has waited for too long ends. */
  #sweep(): void {
    for (const worker of this.#workers()) {
      const visit = worker.takeOverdue();
      if (visit === undefined) continue;
      this.#logger.warn({ worker: worker.number }, "a worker has not taken a connection: another one gets it");
      this.#again(visit);
    }
    this.dispatch();
    const now = performance.now();
    let overdue = 0;
    for (const [desk, queue] of this.#waiting) {
      const rest = queue.filter((visit) => visit.until > now);
      for (const visit of queue) if (visit.until <= now) end(visit);
      overdue += queue.length - rest.length;
      if (rest.length === 0) this.#forget(desk);
      else this.#waiting.set(desk, rest);
    }
    if (overdue > 0) this.#logger.error({ connections: overdue }, "no worker takes connections: some were closed");
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

/** `pause()` would let Node.js read once more, and the worker would miss it. */
function stopReading(socket: Socket): void {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null || !("readStop" in handle)) return;
  if (typeof handle.readStop === "function") handle.readStop();
}
