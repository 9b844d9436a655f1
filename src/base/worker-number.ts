/** The variable of the environment that tells a worker its number. */
export const WORKER_VARIABLE = "SPINDLEX_WORKER";

let worker: number | undefined;

/** This process is one of several that serve together: its log tells which. */
export function setWorkerNumber(number: number): void {
  worker = number;
}

/** The number of this process, if it is one of several that serve together. */
export function workerNumber(): number | undefined {
  return worker;
}

/** This process is a worker; the variable is there until its program comes to `serveWithWorkers`. */
export function isWorker(): boolean {
  return worker !== undefined || process.env[WORKER_VARIABLE] !== undefined;
}

/** The fields of a line in the log, with the worker that it is of, if there are several. */
export function ofThisWorker(fields: object): object {
  return worker === undefined ? fields : { worker, ...fields };
}
