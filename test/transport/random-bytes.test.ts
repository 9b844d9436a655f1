import { describe, expect, it } from "vitest";
import { fillRandom } from "../../src/transport/random-bytes.js";

describe("fillRandom", () => {
  it("fills what it is told and nothing else", () => {
    const target = Buffer.alloc(300);
    fillRandom(target, 20, 275);
    expect(target.subarray(0, 20)).toEqual(Buffer.alloc(20));
    expect(target.subarray(275)).toEqual(Buffer.alloc(25));
    expect(target.subarray(20, 275).equals(Buffer.alloc(255))).toBe(false);
    fillRandom(target, 5, 5);
    expect(target.subarray(0, 20)).toEqual(Buffer.alloc(20));
  });

  it("gives no byte twice, beyond the end of its pool too", () => {
    const seen = new Set<string>();
    const count = 10_000;
    for (let index = 0; index < count; index++) {
      const padding = Buffer.alloc(11);
      fillRandom(padding, 0, padding.length);
      seen.add(padding.toString("hex"));
    }
    expect(seen.size).toBe(count);
  });

  it("gives every value of a byte about as often", () => {
    const counts = new Array<number>(256).fill(0);
    const padding = Buffer.alloc(255);
    const rounds = 2000;
    for (let round = 0; round < rounds; round++) {
      fillRandom(padding, 0, padding.length);
      for (const byte of padding) counts[byte] = (counts[byte] ?? 0) + 1;
    }
    const mean = (rounds * padding.length) / 256;
    // Nine standard deviations: does not happen by chance.
    const bound = 9 * Math.sqrt(mean);
    for (const count of counts) expect(Math.abs(count - mean)).toBeLessThan(bound);
  });
});
