/** A worker could not start: its `cause` is the error of `start`, or of the process. */
export class WorkerStartError extends Error {
  override readonly name: string = "WorkerStartError";
  /** Its number, from 1 on, as in the log. */
  readonly worker: number;
  /** Its process has ended, rather than that `start` has failed. */
  readonly hasCrashed: boolean;

  constructor(worker: number, how: "crashed" | "failed", message: string, options?: ErrorOptions) {
    super(`worker ${worker} could not start: ${message}`, options);
    this.worker = worker;
    this.hasCrashed = how === "crashed";
  }
}

/** Workers end again and again, before they have started or soon after: starting more of them would not help. */
export class WorkerCrashLoopError extends Error {
  override readonly name = "WorkerCrashLoopError";
  /** Workers that have ended, one after the other. */
  readonly crashes: number;

  constructor(crashes: number, cause: Error) {
    super(`${crashes} workers have ended one after the other, the last one so: ${cause.message}`, { cause });
    this.crashes = crashes;
  }
}
