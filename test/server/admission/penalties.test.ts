import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Penalties, type PenaltyCause, type PenaltyLimits } from "../../../src/server/admission/penalties.js";
import { MIB, memoryInUse } from "../../attack/memory.js";
import { extent } from "../../support/extent.js";

/** The defaults of sshd. */
const LIMITS: PenaltyLimits = {
  times: { crash: 90, authFail: 5, invalidUser: 5, noAuth: 1, graceExceeded: 10, refuseConnection: 10 },
  max: 600,
  min: 15,
  maxSources: 65_536,
  overflow: "permissive",
};
const SECOND = 1000;

describe("penalties", () => {
  it("are enforced once they add up to more than the minimum, and until they are over", () => {
    const penalties = new Penalties(LIMITS);
    expect(penalties.penalise("a", "authFail", 0)).toEqual({ seconds: 5, enforced: false });
    expect(penalties.penalise("a", "authFail", 0)).toEqual({ seconds: 10, enforced: false });
    expect(penalties.objection("a", 0)).toBeUndefined();
    // sshd, too, lets one in whose penalties are the minimum to the second.
    expect(penalties.penalise("a", "authFail", 0)).toEqual({ seconds: 15, enforced: false });
    expect(penalties.penalise("a", "noAuth", 0)).toEqual({ seconds: 16, enforced: true });
    expect(penalties.refusedSources(0)).toBe(1);
    expect(penalties.objection("a", 0)).toBe("penalty");
    // Also where less than the minimum is left.
    expect(penalties.objection("a", 16 * SECOND - 1)).toBe("penalty");
    expect(penalties.objection("b", 0)).toBeUndefined();
    expect(penalties.objection("a", 16 * SECOND)).toBeUndefined();
    expect([penalties.size, penalties.refusedSources(16 * SECOND)]).toEqual([0, 0]);
  });

  it("stay as long as they were where the limits are smaller from now on, and the oldest go where there are fewer places", () => {
    const penalties = new Penalties(LIMITS);
    for (let count = 0; count < 10; count++) penalties.penalise("a", "crash", 0);
    expect(penalties.penalise("b", "crash", 0)).toEqual({ seconds: 90, enforced: true });
    penalties.penalise("c", "authFail", 0);
    penalties.limits = { ...LIMITS, max: 60, min: 30, maxSources: 2 };
    expect(penalties.size).toBe(2);
    expect(penalties.penalise("a", "authFail", SECOND)).toEqual({ seconds: 599, enforced: true });
    expect(penalties.penalise("b", "authFail", SECOND)).toEqual({ seconds: 89, enforced: true });
    expect([penalties.objection("a", 95 * SECOND), penalties.objection("b", 95 * SECOND)]).toEqual([
      "penalty",
      undefined,
    ]);
    expect(penalties.refusedSources(600 * SECOND)).toBe(0);
  });

  it("decay: a client that fails now and then is not refused", () => {
    const penalties = new Penalties(LIMITS);
    for (let time = 0; time < 3600; time += 5) {
      expect(penalties.penalise("a", "authFail", time * SECOND)?.enforced).toBe(false);
    }
  });

  it("of one grave cause are enforced at once", () => {
    const penalties = new Penalties(LIMITS);
    expect(penalties.penalise("a", "crash", 0)).toEqual({ seconds: 90, enforced: true });
  });

  it("never add up to more than the maximum", () => {
    const penalties = new Penalties(LIMITS);
    for (let count = 0; count < 1000; count++) penalties.penalise("a", "crash", 0);
    expect(penalties.objection("a", 600 * SECOND - 1)).toBe("penalty");
    expect(penalties.objection("a", 600 * SECOND)).toBeUndefined();
  });

  it("of no time are none", () => {
    const penalties = new Penalties({ ...LIMITS, times: { ...LIMITS.times, noAuth: 0 } });
    expect(penalties.penalise("a", "noAuth", 0)).toBeUndefined();
    expect(penalties.size).toBe(0);
  });

  it("that are too many push out the smallest, where the overflow is permissive", () => {
    const penalties = new Penalties({ ...LIMITS, maxSources: 2 });
    penalties.penalise("a", "crash", 0);
    penalties.penalise("b", "graceExceeded", 0);
    expect(penalties.penalise("c", "crash", 0)).toEqual({ seconds: 90, enforced: true });
    expect(penalties.penalise("d", "noAuth", 0)).toBeUndefined();
    expect(penalties.size).toBe(2);
    expect(["a", "b", "c", "d"].map((source) => penalties.objection(source, 0))).toEqual([
      "penalty",
      undefined,
      "penalty",
      undefined,
    ]);
  });

  it("that are too many let nobody in, where the overflow denies all, until one is over", () => {
    const penalties = new Penalties({ ...LIMITS, maxSources: 2, overflow: "deny-all" });
    penalties.penalise("a", "noAuth", 0);
    expect(penalties.objection("c", 0)).toBeUndefined();
    penalties.penalise("b", "crash", 0);
    expect(penalties.objection("c", 0)).toBe("overflow");
    expect(penalties.penalise("c", "crash", 0)).toBeUndefined();
    expect(penalties.objection("c", 1 * SECOND)).toBeUndefined();
    expect(penalties.objection("b", 1 * SECOND)).toBe("penalty");
  });

  const cause = fc.constantFrom<PenaltyCause>("crash", "authFail", "noAuth", "graceExceeded");
  const event = fc.record({ source: fc.constantFrom("a", "b", "c", "d"), cause, wait: fc.nat({ max: 30 }) });

  it("are what a table without bounds would say, as long as there is room", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const penalties = new Penalties(LIMITS);
        const model = new Map<string, { end: number; enforced: boolean }>();
        let now = 0;
        for (const { source, cause, wait } of events) {
          now += wait * SECOND;
          for (const [name, { end }] of model) if (end <= now) model.delete(name);
          const before = model.get(source) ?? { end: now, enforced: false };
          const end = Math.min(before.end + LIMITS.times[cause] * SECOND, now + LIMITS.max * SECOND);
          const enforced = before.enforced || end - now > LIMITS.min * SECOND;
          model.set(source, { end, enforced });
          expect(penalties.penalise(source, cause, now)).toEqual({ seconds: (end - now) / SECOND, enforced });
          for (const name of ["a", "b", "c", "d"]) {
            expect(penalties.objection(name, now)).toBe(model.get(name)?.enforced ? "penalty" : undefined);
          }
          expect(penalties.size).toBe(model.size);
          expect(penalties.refusedSources(now)).toBe([...model.values()].filter(({ enforced }) => enforced).length);
        }
      }),
    );
  });

  it("never are of more sources than there may be", () => {
    const sources = fc.record({ source: fc.nat({ max: 30 }).map(String), cause, wait: fc.nat({ max: 3 }) });
    const overflow = fc.constantFrom<PenaltyLimits["overflow"]>("permissive", "deny-all");
    fc.assert(
      fc.property(fc.array(sources, { maxLength: 200 }), overflow, (events, overflow) => {
        const penalties = new Penalties({ ...LIMITS, maxSources: 5, overflow });
        let now = 0;
        for (const { source, cause, wait } of events) {
          now += wait * SECOND;
          penalties.penalise(source, cause, now);
          expect(penalties.size).toBeLessThanOrEqual(5);
          expect(penalties.refusedSources(now)).toBeLessThanOrEqual(penalties.size);
        }
      }),
    );
  });

  it.each(["permissive", "deny-all"] as const)(
    "of many more sources than are remembered stay within their memory: %s",
    (overflow) => {
      const sources = extent(200_000, 1_000_000);
      const before = memoryInUse();
      const penalties = new Penalties({ ...LIMITS, overflow });
      for (let index = 0; index < sources; index++) {
        const source = `20010db8${index.toString(16).padStart(8, "0")}0000000000000000/64`;
        penalties.penalise(source, index % 3 === 0 ? "crash" : "authFail", index / 100);
        penalties.objection(source, index / 100);
      }
      expect(penalties.size).toBeLessThanOrEqual(65_536);
      expect(memoryInUse() - before).toBeLessThan(24 * MIB);
      expect(penalties.refusedSources(1e9)).toBe(0);
      expect(penalties.size).toBe(0);
    },
  );
});
