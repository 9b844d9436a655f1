import { describe, expect, it } from "vitest";
import { LineLimit } from "../../src/base/line-limit.js";

describe("LineLimit", () => {
  it("lets so many lines of a kind through in a time, and tells how many were left out", () => {
    const limit = new LineLimit(2, 1000);
    expect([0, 1, 2, 999].map((now) => limit.admit("a", now))).toEqual([0, 0, undefined, undefined]);
    expect(limit.admit("b", 999)).toBe(0);
    expect([1000, 1001, 1002].map((now) => limit.admit("a", now))).toEqual([2, 0, undefined]);
  });

  it("remembers few kinds, and forgets those that began first", () => {
    const limit = new LineLimit(1, 1000);
    for (let kind = 0; kind < 256; kind++) limit.admit(`${kind}`, 0);
    expect(limit.admit("0", 1)).toBeUndefined();
    limit.admit("one more", 1);
    expect(limit.admit("255", 2)).toBeUndefined();
    expect(limit.admit("0", 2)).toBe(0);
  });
});
