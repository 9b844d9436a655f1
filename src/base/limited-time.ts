import { setMaxListeners } from "node:events";

export interface TimeLimit {
  /** Infinity is no limit. */
  readonly milliseconds: number;
  /** Makes the error that is thrown when the time is over. */
  readonly overdue: () => Error;
  /** Each of them ends the waiting, too, with its reason. */
  readonly signals: readonly (AbortSignal | undefined)[];
}

/**
 * Runs something that must not take for ever, and waits no longer than it may take.
 *
 * @param run gets a signal that fires when nobody waits any longer, also where it has failed itself
 * @param late gets a result that comes when nobody waits any longer: to take back what was opened
 */
export async function inLimitedTime<Result>(
  { milliseconds, overdue, signals }: TimeLimit,
  run: (signal: AbortSignal) => Promise<Result>,
  late: (result: Result) => void = () => {},
): Promise<Result> {
  for (const signal of signals) signal?.throwIfAborted();
  const end = new AbortController();
  const timer = Number.isFinite(milliseconds) ? setTimeout(() => end.abort(overdue()), milliseconds) : undefined;
  const releases = signals.map((signal) => signal && follow(signal, end));
  try {
    return await new Promise<Result>((resolve, reject) => {
      end.signal.addEventListener("abort", () => reject(end.signal.reason));
      run(end.signal)
        .then((result) => (end.signal.aborted ? late(result) : resolve(result)))
        .catch(reject);
    });
  } catch (error) {
    end.abort(error);
    throw error;
  } finally {
    clearTimeout(timer);
    for (const release of releases) release?.();
  }
}

/**
 * Waits, but not for ever. The promise must not reject once the time is over.
 *
 * @param milliseconds Infinity is no limit
 */
export async function waitAtMost(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  if (!Number.isFinite(milliseconds)) {
    await promise;
    return;
  }
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise, over]).finally(() => clearTimeout(timer));
}

/** @returns ends the following */
function follow(signal: AbortSignal, end: AbortController): () => void {
  const abort = () => end.abort(signal.reason);
  // One signal may end many waits. Each takes its listener back, so Node.js does not have to warn of a leak.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", abort);
  return () => signal.removeEventListener("abort", abort);
}
