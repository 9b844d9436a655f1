import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds that a clock need not tell apart. */
const CLOCK_GRAIN = 1e-6;

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
  let time = floor;
  while (time < elapsed) time *= 2;
  const due = started + time;
  // Timers count whole milliseconds and can fire early: by how much would tell when the wait began.
  for (let left = due - performance.now(); left > CLOCK_GRAIN; left = due - performance.now()) {
    await delay(left, undefined, { signal });
  }
}
