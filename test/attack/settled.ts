import { vi } from "vitest";

/** Resolves to `value()` once it has not changed for a while: what was under way has come to a stop. */
export async function settled(value: () => number): Promise<number> {
  let last = Number.NaN;
  await vi.waitUntil(
    () => {
      const same = value() === last;
      last = value();
      return same;
    },
    { interval: 300, timeout: 20_000 },
  );
  return last;
}
