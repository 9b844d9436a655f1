import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SerialSet } from "../../../src/crypto/revocation/serial-set.js";

const MAXIMUM = 2n ** 64n - 1n;
const near = fc.bigInt({ min: 1n, max: 400n });
const bytes = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .filter(([first]) => first !== 0)
  .map((array) => Buffer.from(array));

describe("a set of serial numbers", () => {
  it("has the numbers that were put in one by one, and no others", () => {
    const ranges = fc.array(
      fc.tuple(near, near).map(([a, b]) => (a < b ? { first: a, last: b } : { first: b, last: a })),
      { maxLength: 4 },
    );
    const bitmaps = fc.array(fc.record({ start: near, bytes }), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(near), ranges, bitmaps, (singles, someRanges, someBitmaps) => {
        const expected = new Set(singles);
        for (const { first, last } of someRanges)
          for (let serial = first; serial <= last; serial++) expected.add(serial);
        for (const bitmap of someBitmaps) {
          const digits = BigInt(`0x${bitmap.bytes.toString("hex")}`).toString(2);
          for (const [index, digit] of [...digits].reverse().entries()) {
            if (digit === "1") expected.add(bitmap.start + BigInt(index));
          }
        }
        const set = new SerialSet({ singles, ranges: someRanges, bitmaps: someBitmaps });
        for (let serial = 0n; serial < 700n; serial++) {
          if (set.has(serial) !== expected.has(serial)) throw new Error(`${serial} is not as expected`);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("goes up to the last number there is", () => {
    const set = new SerialSet({
      singles: [MAXIMUM],
      ranges: [{ first: MAXIMUM - 2n, last: MAXIMUM - 1n }],
      bitmaps: [{ start: MAXIMUM - 7n, bytes: Buffer.from([0x12]) }],
    });
    const offsets = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
    expect(offsets.filter((offset) => set.has(MAXIMUM - offset))).toEqual([0n, 1n, 2n, 3n, 6n]);
  });

  it("keeps a range of all numbers as it is", () => {
    const set = new SerialSet({ singles: [], ranges: [{ first: 1n, last: MAXIMUM }], bitmaps: [] });
    expect([0n, 1n, 2n ** 40n, MAXIMUM].map((serial) => set.has(serial))).toEqual([false, true, true, true]);
  });

  it("is empty without any", () => {
    const set = new SerialSet({ singles: [], ranges: [], bitmaps: [] });
    expect([0n, 1n, MAXIMUM].some((serial) => set.has(serial))).toBe(false);
  });
});
