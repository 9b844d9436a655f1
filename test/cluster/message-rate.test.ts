import { afterEach, describe, expect, it, vi } from "vitest";
import { MAX_MESSAGES, MessageRate } from "../../src/cluster/calls/message-rate.js";

describe("MessageRate", () => {
  afterEach(() => vi.restoreAllMocks());

  function exceeded(milliseconds: number): boolean {
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const rate = new MessageRate();
    const seen = Array.from({ length: 2 * MAX_MESSAGES }, () => {
      now += milliseconds;
      return rate.isExceeded();
    });
    return seen.includes(true);
  }

  it("is exceeded by more than twenty thousand in a second, and by no load that lasts", () => {
    expect(exceeded(1000 / 25_000)).toBe(true);
    expect(exceeded(1000 / 19_000)).toBe(false);
  });

  it("bears what has gathered in a few seconds", () => {
    const rate = new MessageRate();
    for (let message = 0; message < MAX_MESSAGES; message++) expect(rate.isExceeded()).toBe(false);
  });

  it("takes no calls for a flood, nor what each of them brings with it", () => {
    const rate = new MessageRate();
    const calls = Array.from({ length: 2 * MAX_MESSAGES }, () => {
      rate.called();
      return rate.isExceeded() || rate.isExceeded();
    });
    expect(calls).not.toContain(true);
  });
});
