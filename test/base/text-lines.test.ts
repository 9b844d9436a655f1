import fc from "fast-check";
import { expect, it } from "vitest";
import { linesOf } from "../../src/base/text-lines.js";

it("gives the lines that split gives", () => {
  const text = fc.string({ unit: fc.constantFrom("\n", "\r", "a", "b", "ü") });
  fc.assert(
    fc.property(text, (value) => {
      expect([...linesOf(value)]).toEqual(value.split("\n"));
    }),
  );
});
