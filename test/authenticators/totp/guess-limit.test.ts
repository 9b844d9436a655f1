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

  it("pauses no longer than it may when the clock goes back, and not for ever", () => {
    const limit = new GuessLimit();
    const wrong = 20 * 365 * 24 * 60 * 60;
    pauses(limit, "ann", 12, wrong);
    pauses(limit, "bob", 5, wrong);
    expect(limit.isPaused("ann", 1000)).toBe(true);
    expect(limit.isPaused("ann", 1899.9)).toBe(true);
    expect(limit.isPaused("ann", 1900)).toBe(false);
    expect(limit.failed("kim", 1900)).toBe(0);
    // Those of a wrong time are as if they had been made now.
    limit.failed("kim", 1900 + 24 * 60 * 60);
    expect(limit.size).toBe(1);
  });

  it("notes only so many users", () => {
    const limit = new GuessLimit();
    for (let user = 0; user < 100_010; user++) limit.failed(`user ${user}`, 0);
    expect(limit.size).toBe(100_000);
    expect(pauses(limit, "user 0", 5)).toEqual([0, 0, 0, 0, 30]);
    expect(pauses(limit, "user 100009", 4)).toEqual([0, 0, 0, 30]);
  });
});
