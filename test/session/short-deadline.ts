import { onTestFinished, vi } from "vitest";

/** Until the test is over, timers of so many milliseconds fire after another time. */
export function shortenTimers(milliseconds: number, instead: number): void {
  const original = globalThis.setTimeout;
  const shortened = (run: () => void, time?: number, ...rest: []) =>
    original(run, time === milliseconds ? instead : time, ...rest);
  const spy = vi.spyOn(globalThis, "setTimeout").mockImplementation(shortened as typeof setTimeout);
  onTestFinished(() => spy.mockRestore());
}
