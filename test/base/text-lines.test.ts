import fc from "fast-check";
import { expect, it } from "vitest";
import { linesIn, linesOf } from "../../src/base/text-lines.js";

it("gives the lines that split gives", () => {
  const text = fc.string({ unit: fc.constantFrom("\n", "\r", "a", "b", "ü") });
  fc.assert(
    fc.property(text, (value) => {
      expect([...linesOf(value)]).toEqual(value.split("\n"));
      expect([...linesIn(Buffer.from(value))]).toEqual(value.split("\n"));
    }),
  );
});

it("takes bytes for what they are in the whole text", () => {
  const bytes = fc
    .array(fc.constantFrom(0x0a, 0x61, 0xc3, 0xbc, 0xe2, 0x82, 0xff))
    .map((values) => Buffer.from(values));
  fc.assert(
    fc.property(bytes, (value) => {
      expect([...linesIn(value)]).toEqual(value.toString("utf8").split("\n"));
    }),
  );
});
