import { type ProcessEnd, ProcessLine } from "../../../src/cluster/calls/process-line.js";

type Listener = (message: unknown, handle: unknown) => void;

/** One end of a channel. What it sends waits until somebody delivers it. */
class SimulatedEnd implements ProcessEnd {
  connected = true;
  readonly sent: string[] = [];
  readonly #listeners = new Map<string, Set<Listener>>();

  send(message: object, _handle: unknown, _options: object, sent: (error: Error | null) => void): boolean {
    if (this.connected) this.sent.push(JSON.stringify(message));
    queueMicrotask(() => sent(null));
    return true;
  }

  on(event: string, listener: Listener | (() => void)): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener as Listener));
  }

  off(event: string, listener: Listener | (() => void)): void {
    this.#listeners.get(event)?.delete(listener as Listener);
  }

  tell(event: "message" | "disconnect", message?: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(message, undefined);
  }
}

/** The messages in one direction. */
export class Direction {
  readonly #from: SimulatedEnd;
  readonly #to: SimulatedEnd;

  constructor(from: SimulatedEnd, to: SimulatedEnd) {
    this.#from = from;
    this.#to = to;
  }

  get waiting(): readonly string[] {
    return this.#from.sent;
  }

  /** Those that arrive together: what waits for an answer among them goes on when all have been heard. */
  deliver(count: number): void {
    for (const message of this.#from.sent.splice(0, count)) {
      if (this.#to.connected) this.#to.tell("message", JSON.parse(message));
    }
  }
}

/** A line between a primary and a worker, both in this process. */
export class SimulatedLine {
  readonly primary: ProcessLine;
  readonly worker: ProcessLine;
  readonly toPrimary: Direction;
  readonly toWorker: Direction;
  readonly #primaryEnd = new SimulatedEnd();
  readonly #workerEnd = new SimulatedEnd();

  constructor(name: string) {
    const logger = { warn: () => {} };
    this.primary = new ProcessLine(this.#primaryEnd, { peer: name, logger });
    this.worker = new ProcessLine(this.#workerEnd, { peer: "the primary", logger });
    this.toPrimary = new Direction(this.#workerEnd, this.#primaryEnd);
    this.toWorker = new Direction(this.#primaryEnd, this.#workerEnd);
  }

  /** The worker is killed: it hears and tells nothing more. What it has told arrives. */
  kill(): void {
    this.#workerEnd.connected = false;
  }

  /** The primary learns of that. */
  end(): void {
    this.#primaryEnd.connected = false;
    this.#primaryEnd.tell("disconnect");
  }
}
