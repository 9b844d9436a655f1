import { onTestFinished, vi } from "vitest";

/** Until the test is over, timers of so many milliseconds fire after another time, once or again and again. */
export function shortenTimers(milliseconds: number, instead: number): void {
  for (const kind of ["setTimeout", "setInterval"] as const) {
    const original: (run: () => void, time?: number, ...rest: []) => unknown = globalThis[kind];
    const shortened = (run: () => void, time?: number, ...rest: []) =>
      original(run, time === milliseconds ? instead : time, ...rest);
    const spy = vi.spyOn(globalThis, kind).mockImplementation(shortened as typeof setTimeout & typeof setInterval);
    onTestFinished(() => spy.mockRestore());
  }
}
