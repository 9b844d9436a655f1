import { setImmediate as whenPolled } from "node:timers/promises";

/** Work in small steps, between which something else can be done. */
export type Steps<T> = Generator<undefined, T>;

/** Milliseconds of work in one turn of the event loop, after which others get theirs. */
const TURN_TIME = 5;

let turns: Promise<void> = Promise.resolve();

/** When the first of those who work in this turn of the event loop began, as `performance.now()` tells it. */
let begunAt: number | undefined;

/** Takes all steps, one right after the other. */
export function atOnce<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** Takes all steps, and lets others do theirs every few milliseconds: sockets, timers, and who works in turns too. */
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
 * @returns whether all who ask this have worked so long in this turn of the event loop that the rest should wait for the next one
 */
export function turnIsOver(): boolean {
  if (begunAt !== undefined) return performance.now() - begunAt >= TURN_TIME;
  begunAt = performance.now();
  setImmediate(endTurn);
  return false;
}

/** Each turn of the event loop is for one of those who wait, so that many of them together do not stop it either. */
export function nextTurn(): Promise<void> {
  turns = turns.then(() => whenPolled()).then(endTurn);
  return turns;
}

function endTurn(): void {
  begunAt = undefined;
}
