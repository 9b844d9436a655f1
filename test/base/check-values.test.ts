import { describe, expect, it } from "vitest";
import { checkChoice, checkInteger, checkNumber, checkObject } from "../../src/base/check-values.js";

describe("values of options", () => {
  it.each([checkNumber, checkInteger])(
    "of which a number is wanted may be no text that looks like one: %o",
    (check) => {
      expect(check("port", 22, 0, 65_535)).toBe(22);
      for (const [odd, text] of [
        ["22", '"22"'],
        [65_536, "65536"],
        [Number.NaN, "NaN"],
        [undefined, "undefined"],
      ]) {
        expect(() => Reflect.apply(check, undefined, ["port", odd, 0, 65_535])).toThrow(
          `port: must be a number from 0 to 65535, not ${text}`,
        );
      }
    },
  );

  it("are named as they were given", () => {
    expect(() => checkInteger("port", 1.5, 0, 2)).toThrow("port: must be an integer, not 1.5");
    expect(() => Reflect.apply(checkChoice, undefined, ["overflow", "deny", ["a", "b"]])).toThrow(
      'overflow: must be one of a, b, not "deny"',
    );
    expect(() => Reflect.apply(checkObject, undefined, ["maxStartups", "10:30:100", ["start", "full"]])).toThrow(
      'maxStartups: must be an object with start, full, not "10:30:100"',
    );
    expect(() => Reflect.apply(checkObject, undefined, ["maxStartups", { begin: 1 }, ["start", "full"]])).toThrow(
      "maxStartups.begin: there are only start, full",
    );
  });
});
