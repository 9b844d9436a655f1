import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeSequence, encodeSequence, encodeTernary } from "../../../src/crypto/kex/sntrup761-codec.js";

describe.each([
  { limit: 4591, length: 1158 },
  { limit: 1531, length: 1007 },
])("sequences below $limit", ({ limit, length }) => {
  it("survive encoding, in the length that the specification gives", () => {
    const sequence = fc.array(fc.nat({ max: limit - 1 }), { minLength: 761, maxLength: 761 });
    fc.assert(
      fc.property(sequence, (values) => {
        const bytes = encodeSequence(values, limit);
        expect(bytes).toHaveLength(length);
        expect([...decodeSequence(bytes, 761, limit)]).toEqual(values);
      }),
      { numRuns: 50 },
    );
  });

  it("survive at their limits", () => {
    const largest = new Array<number>(761).fill(limit - 1);
    expect([...decodeSequence(encodeSequence(largest, limit), 761, limit)]).toEqual(largest);
    expect(encodeSequence(new Array<number>(761).fill(0), limit)).toEqual(Buffer.alloc(length));
  });

  it("come out in range from any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: length, maxLength: length }), (bytes) => {
        expect(decodeSequence(bytes, 761, limit).every((value) => value >= 0 && value < limit)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe("encodeTernary", () => {
  it("puts four coefficients into a byte", () => {
    expect(encodeTernary(Int32Array.of(-1, 0, 1, 0, 1))).toEqual(Buffer.of(0b01_10_01_00, 0b10));
    expect(encodeTernary(new Int32Array(761))).toHaveLength(191);
  });
});
