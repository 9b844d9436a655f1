import { setImmediate as whenPolled } from "node:timers/promises";

/** Work in small steps, between which something else can be done. */
export type Steps<T> = Generator<undefined, T>;

/** Milliseconds of work in one turn of the event loop, after which others get theirs. */
const TURN_TIME = 5;

/** Callers that wait for their turn, the first one first. */
const waiting: (() => void)[] = [];

/** When the first caller in this turn of the event loop began to work, as `performance.now()` tells it. */
let begunAt: number | undefined;

/** Takes all steps, one right after the other. */
export function atOnce<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** Takes all steps, and every few milliseconds lets other work run: sockets, timers, and other callers of this function. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    if (turnIsOver()) await nextTurn();
    step = steps.next();
  }
  return step.value;
}

/**
 * To be asked between two pieces of work, each of which is short.
 *
 * @returns whether all callers together have worked so long in this turn of the event loop that the rest should wait for the next one
 */
export function turnIsOver(): boolean {
  if (begunAt !== undefined) return performance.now() - begunAt >= TURN_TIME;
  begunAt = performance.now();
  setImmediate(endTurn);
  return false;
}

/** Resolves in a turn of the event loop that has time left: many waiting callers share it, as long as it lasts. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) void giveTurns();
  });
}

async function giveTurns(): Promise<void> {
  while (waiting.length > 0) {
    await whenPolled();
    endTurn();
    do {
      const [next] = waiting;
      next?.();
      // It works before this goes on, and may ask for another turn.
      await undefined;
      waiting.shift();
    } while (waiting.length > 0 && !turnIsOver());
  }
}

function endTurn(): void {
  begunAt = undefined;
}
