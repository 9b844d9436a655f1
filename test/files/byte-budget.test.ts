import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { ByteBudget } from "../../src/files/byte-budget.js";

describe("ByteBudget", () => {
  it("gives out what it has, and takes it back", () => {
    const budget = new ByteBudget("bytes", 100, "EDQUOT");
    budget.reserve(60);
    budget.reserve(40);
    expect(budget.free).toBe(0);
    budget.reserve(0);
    expect(() => budget.reserve(1)).toThrow("Disk quota exceeded");
    budget.release(30);
    expect(() => budget.reserve(31)).toThrow("Disk quota exceeded");
    budget.reserve(-20);
    expect(budget).toMatchObject({ used: 50, free: 50 });
  });

  it("knows that more may be there than is allowed", () => {
    const budget = new ByteBudget("bytes", 100, "ENOSPC");
    budget.charge(150);
    expect(budget).toMatchObject({ used: 150, free: 0 });
    budget.reserve(0);
    expect(() => budget.reserve(1)).toThrow("No space left on device");
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, 1.5])("does not reserve %s bytes", (bytes) => {
    const budget = new ByteBudget("bytes", 1, "EDQUOT");
    expect(() => budget.reserve(bytes)).toThrow("Disk quota exceeded");
    expect(budget.used).toBe(0);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("has no limit of %s", (limit) => {
    expect(() => new ByteBudget("bytes", limit, "EDQUOT")).toThrow(ConfigurationError);
  });
});
