import { describe, expect, it } from "vitest";
import { GuessLimit } from "../../../src/authenticators/totp/guess-limit.js";

/** Pauses of so many failures, each as soon as it may be. */
function pauses(limit: GuessLimit, username: string, count: number, start = 0): number[] {
  let now = start;
  return Array.from({ length: count }, () => {
    const pause = limit.failed(username, now);
    now += pause;
    return pause;
  });
}

describe("GuessLimit", () => {
  it("pauses for longer and longer after a few failures in a row", () => {
    const limit = new GuessLimit();
    expect(pauses(limit, "ann", 12)).toEqual([0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
  });

  it("pauses the one user, until the time is over", () => {
    const limit = new GuessLimit();
    pauses(limit, "ann", 5);
    expect(limit.isPaused("ann", 29.9)).toBe(true);
    expect(limit.isPaused("ann", 30)).toBe(false);
    expect(limit.isPaused("bob", 0)).toBe(false);
  });

  it("forgets failures with a success", () => {
    const limit = new GuessLimit();
    pauses(limit, "ann", 4);
    limit.succeeded("ann");
    expect(pauses(limit, "ann", 5)).toEqual([0, 0, 0, 0, 30]);
  });

  it("forgets failures after a day", () => {
    const limit = new GuessLimit();
    const day = 24 * 60 * 60;
    pauses(limit, "ann", 4);
    pauses(limit, "bob", 4, 10);
    expect(limit.failed("kim", day)).toBe(0);
    expect(limit.failed("ann", day)).toBe(0);
    expect(limit.failed("bob", day)).toBe(30);
  });
});
