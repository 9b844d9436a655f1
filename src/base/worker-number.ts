let worker: number | undefined;

/** This process is one of several that serve together: its log tells which. */
export function setWorkerNumber(number: number): void {
  worker = number;
}

/** The fields of a line in the log, with the worker that it is of, if there are several. */
export function ofThisWorker(fields: object): object {
  return worker === undefined ? fields : { worker, ...fields };
}
