import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dropsStartup } from "../../../src/server/admission/startups.js";

/** Per cent of connections that are dropped: how many of the draws from 0 to 99 drop one. */
function probability(startups: number, limits: Parameters<typeof dropsStartup>[1]): number {
  return Array.from({ length: 100 }, (_, draw) => draw).filter((draw) => dropsStartup(startups, limits, () => draw))
    .length;
}

const limits = fc
  .record({
    start: fc.integer({ min: 1, max: 1000 }),
    rate: fc.integer({ min: 1, max: 100 }),
    more: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ start, rate, more }) => ({ start, rate, full: start + more }));

describe("random early drop", () => {
  it.each([
    [0, 0],
    [9, 0],
    [10, 30],
    [35, 65],
    [59, 98],
    [60, 100],
    [61, 100],
  ])("with 10:30:60 refuses, at %i connections, %i per cent", (startups, expected) => {
    expect(probability(startups, { start: 10, rate: 30, full: 60 })).toBe(expected);
  });

  it("never refuses before start, always from full on, and never less with more connections", () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 0, max: 2100 }), (some, startups) => {
        const now = probability(startups, some);
        if (startups < some.start) expect(now).toBe(0);
        else if (startups >= some.full) expect(now).toBe(100);
        else expect(now).toBeGreaterThanOrEqual(some.rate);
        expect(probability(startups + 1, some)).toBeGreaterThanOrEqual(now);
      }),
    );
  });

  it("draws no chance where there is nothing to decide", () => {
    const draw = () => {
      throw new Error("nothing to draw for");
    };
    expect(dropsStartup(9, { start: 10, rate: 30, full: 60 }, draw)).toBe(false);
    expect(dropsStartup(60, { start: 10, rate: 30, full: 60 }, draw)).toBe(true);
    expect(dropsStartup(10, { start: 10, rate: 100, full: 60 }, draw)).toBe(true);
  });
});
