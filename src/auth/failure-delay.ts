import { setTimeout as delay } from "node:timers/promises";

/**
 * Waits so that a failure takes at least `floor` milliseconds, and otherwise a power of two times that: how long the
 * server took to look up the user is then not to be seen from outside.
 *
 * @param started `performance.now()` when the request came, milliseconds
 * @throws AbortError when the signal fires or has fired
 */
export async function delayFailure(started: number, floor: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (floor <= 0) return;
  const elapsed = performance.now() - started;
  let due = floor;
  while (due < elapsed) due *= 2;
  await delay(due - elapsed, undefined, { signal });
}
