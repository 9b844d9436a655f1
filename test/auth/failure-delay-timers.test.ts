import { describe, expect, it } from "vitest";
import { delayFailure } from "../../src/auth/failure-delay.js";

const open = new AbortController().signal;

describe("delayFailure, with the timers of Node.js", () => {
  it("never ends before its time: how early it did would tell when the wait began", async () => {
    for (let elapsed = 0; elapsed < 5; elapsed += 0.17) {
      const started = performance.now() - elapsed;
      await delayFailure(started, 6, open);
      expect(performance.now() - started).toBeGreaterThanOrEqual(6);
    }
  });

  it("ends with the connection, however short the rest", async () => {
    const controller = new AbortController();
    const delayed = delayFailure(performance.now(), 60_000, controller.signal);
    controller.abort();
    await expect(delayed).rejects.toMatchObject({ name: "AbortError" });
  });
});
