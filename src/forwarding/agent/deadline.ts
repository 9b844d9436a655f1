import { setMaxListeners } from "node:events";
import { AgentError } from "./agent-error.js";

interface Limits {
  /** Seconds. */
  readonly timeout: number;
  /** Each of them ends the waiting, with its reason. */
  readonly signals: readonly (AbortSignal | undefined)[];
}

/**
 * Waits for an operation until its deadline, or until one of the signals fires.
 *
 * @param operation gets a signal for all of that; nobody waits for it any longer when it fires
 * @throws {AgentError} `timeout`
 */
export async function withDeadline<T>(
  { timeout, signals }: Limits,
  operation: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (const signal of signals) signal?.throwIfAborted();
  const end = new AbortController();
  const over = () => end.abort(new AgentError("timeout", `the agent has not answered within ${timeout} seconds`));
  const timer = setTimeout(over, 1000 * timeout);
  const release = signals.map((signal) => signal && follow(signal, end));
  try {
    return await Promise.race([operation(end.signal), whenAborted(end.signal)]);
  } finally {
    clearTimeout(timer);
    for (const leave of release) leave?.();
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** @returns ends the following */
function follow(signal: AbortSignal, end: AbortController): () => void {
  const abort = () => end.abort(signal.reason);
  // One signal may end many operations. Each takes its listener back, so Node.js does not have to warn of a leak.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", abort);
  return () => signal.removeEventListener("abort", abort);
}
