import { setImmediate } from "node:timers/promises";

/** Work in small steps, between which something else can be done. */
export type Steps<T> = Generator<undefined, T>;

/** Milliseconds of work, after which others get their turn. */
const TURN_TIME = 5;

let turns: Promise<void> = Promise.resolve();

/** Takes all steps, one right after the other. */
export function atOnce<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** Takes all steps, and lets others do theirs every few milliseconds: sockets, timers, and who works in turns too. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  let begun = performance.now();
  let step = steps.next();
  while (step.done !== true) {
    if (performance.now() - begun >= TURN_TIME) {
      await nextTurn();
      begun = performance.now();
    }
    step = steps.next();
  }
  return step.value;
}

/** Each turn of the event loop is for one of those who wait, so that many of them together do not stop it either. */
function nextTurn(): Promise<void> {
  turns = turns.then(() => setImmediate());
  return turns;
}
