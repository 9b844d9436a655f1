import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsedCodes } from "../../../src/authenticators/totp/used-codes.js";

const DAY = 24 * 60 * 60;

/** Codes of 30 seconds, accepted for one period after theirs. */
class Codes {
  readonly used = new UsedCodes();
  now = 1000 * 30;

  get present(): number {
    return Math.floor(this.now / 30);
  }

  /** @returns whether the code was accepted, as one that is right and in its time */
  give(user: string, step = this.present): boolean {
    const until = (step + 2) * 30;
    if (this.used.isUsed(user, step, until, this.now)) return false;
    this.used.use(user, step, until, this.now);
    return true;
  }
}

describe("UsedCodes", () => {
  it("knows the user's last code, and that those before are over", () => {
    const codes = new Codes();
    expect(codes.give("ann", 1000)).toBe(true);
    expect([999, 1000].map((step) => codes.give("ann", step))).toEqual([false, false]);
    expect(codes.give("bob", 1000)).toBe(true);
    expect([1001, 1000, 1001].map((step) => codes.give("ann", step))).toEqual([true, false, false]);
  });

  it("forgets what is not accepted any more", () => {
    const codes = new Codes();
    for (let user = 0; user < 100; user++) codes.give(`user ${user}`);
    expect(codes.used.size).toBe(100);
    codes.now += 60;
    codes.give("ann");
    expect(codes.used.size).toBe(1);
  });

  it("accepts no code twice when the clock goes back, and all new ones when it is where it was", () => {
    const codes = new Codes();
    codes.give("ann");
    codes.give("bob", 1001);
    codes.now += 600;
    codes.give("kim");
    const late = codes.now;
    codes.now = 1000 * 30;
    // What was forgotten may have been used.
    expect(["ann", "bob", "eve"].map((user) => codes.give(user))).toEqual([false, false, false]);
    codes.now = late + 30;
    expect(["ann", "bob", "eve", "kim"].map((user) => codes.give(user))).toEqual([true, true, true, true]);
  });

  it("keeps nothing of a time that never was: a clock that was years ahead locks nobody out", () => {
    const codes = new Codes();
    const right = codes.now;
    codes.now += 20 * 365 * DAY;
    codes.give("ann");
    codes.now += 600;
    codes.give("bob");
    codes.now = right;
    expect(["ann", "bob", "kim"].map((user) => codes.give(user))).toEqual([true, true, true]);
    codes.now += 60;
    codes.give("eve");
    expect(codes.used.size).toBe(1);
  });

  it("accepts no code twice, however the clock jumps within a day", () => {
    const jump = fc.record({ seconds: fc.integer({ min: -3600, max: 3600 }), user: fc.constantFrom("ann", "bob") });
    fc.assert(
      fc.property(fc.array(jump, { maxLength: 20 }), (jumps) => {
        const codes = new Codes();
        codes.now = DAY * 20_000;
        const given = new Set<string>();
        for (const { seconds, user } of jumps) {
          codes.now += seconds;
          const code = `${user} ${codes.present}`;
          if (codes.give(user)) expect(given.has(code)).toBe(false);
          given.add(code);
        }
      }),
    );
  });
});
