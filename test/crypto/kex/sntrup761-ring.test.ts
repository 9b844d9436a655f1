import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  HALF_Q,
  multiply,
  P,
  Q,
  reduceMod3,
  reduceModQ,
  roundToThirds,
  shortPolynomial,
} from "../../../src/crypto/kex/sntrup761-ring.js";
import { multiply as multiplyPlainly } from "../../support/sntrup761-client.js";

describe("reduceModQ", () => {
  it("gives the balanced representative of every sum that a product can have", () => {
    let wrong = 0;
    for (let value = -5_300_000; value <= 5_300_000; value++) {
      const reduced = reduceModQ(value);
      if (reduced < -HALF_Q || reduced > HALF_Q || (value - reduced) % Q !== 0) wrong++;
    }
    expect(wrong).toBe(0);
  });
});

describe("reduceMod3", () => {
  it("gives the balanced representative", () => {
    for (let value = -5000; value <= 5000; value++) {
      const reduced = reduceMod3(value);
      expect(Math.abs(reduced) <= 1 && (value - reduced) % 3 === 0, `${value}`).toBe(true);
    }
  });
});

describe("multiply", () => {
  const expectRight = (polynomial: Int32Array, ternary: Int32Array) => {
    const expected = multiplyPlainly([...polynomial], [...ternary], Q);
    expect([...multiply(polynomial, ternary)].map((coefficient) => (coefficient + Q) % Q)).toEqual(expected);
  };

  it("multiplies the largest coefficients", () => {
    for (const a of [HALF_Q, -HALF_Q]) {
      for (const b of [1, -1]) expectRight(new Int32Array(P).fill(a), new Int32Array(P).fill(b));
    }
  });

  it("multiplies alternating extremes, so that neighbouring lanes borrow from each other", () => {
    const alternating = Int32Array.from({ length: P }, (_, i) => (i % 2 === 0 ? HALF_Q : -HALF_Q));
    expectRight(
      alternating,
      Int32Array.from({ length: P }, (_, i) => (i % 2 === 0 ? 1 : -1)),
    );
    expectRight(
      alternating.map((_, i) => (i < 381 ? HALF_Q : -HALF_Q)),
      new Int32Array(P).fill(1),
    );
  });

  it("multiplies by every power of x", () => {
    const polynomial = Int32Array.from({ length: P }, (_, i) => ((i * 7919) % Q) - HALF_Q);
    for (let i = 0; i < P; i += 19) {
      const power = new Int32Array(P);
      power[i] = 1;
      expectRight(polynomial, power);
    }
  });

  it("multiplies random polynomials", () => {
    for (let i = 0; i < 10; i++) {
      const bytes = randomBytes(2 * P);
      const polynomial = Int32Array.from({ length: P }, (_, k) => (bytes.readUInt16LE(2 * k) % Q) - HALF_Q);
      expectRight(polynomial, shortPolynomial(randomBytes(4 * P)));
    }
  });
});

describe("roundToThirds", () => {
  it("rounds every coefficient to the nearest multiple of three", () => {
    const all = Int32Array.from({ length: Q }, (_, i) => i - HALF_Q);
    const rounded = roundToThirds(all).map((n) => 3 * n - HALF_Q);
    expect(rounded.every((n, i) => n % 3 === 0 && Math.abs(n - (all[i] ?? 0)) <= 1)).toBe(true);
  });
});

describe("shortPolynomial", () => {
  it("has 286 coefficients of one and minus one, in random places", () => {
    const counts = new Int32Array(P);
    let positive = 0;
    const rounds = 400;
    for (let round = 0; round < rounds; round++) {
      const polynomial = shortPolynomial(randomBytes(4 * P));
      const nonZero = polynomial.filter((coefficient) => coefficient !== 0);
      expect(nonZero).toHaveLength(286);
      expect(nonZero.every((coefficient) => Math.abs(coefficient) === 1)).toBe(true);
      positive += nonZero.filter((coefficient) => coefficient === 1).length;
      polynomial.forEach((coefficient, i) => {
        counts[i] = (counts[i] ?? 0) + Math.abs(coefficient);
      });
    }
    // Eight standard deviations, so that chance alone never fails this.
    expect(Math.abs(positive - (rounds * 286) / 2)).toBeLessThan(8 * Math.sqrt((rounds * 286) / 4));
    const expected = (rounds * 286) / P;
    const deviation = Math.sqrt(expected * (1 - 286 / P));
    expect(counts.every((count) => Math.abs(count - expected) < 8 * deviation)).toBe(true);
  });

  it("sorts words as unsigned numbers, whatever they are", () => {
    for (const fill of [0, 0x7f, 0x80, 0xff]) {
      const polynomial = shortPolynomial(Buffer.alloc(4 * P, fill));
      expect(polynomial.filter((coefficient) => coefficient !== 0)).toHaveLength(286);
    }
    const random = randomBytes(4 * P);
    const tagged = Array.from({ length: P }, (_, i) => {
      const word = random.readUInt32LE(4 * i);
      return i < 286 ? word - (word % 2) : word - (word % 4) + 1;
    });
    const expected = tagged.sort((a, b) => a - b).map((word) => (word % 4) - 1);
    expect([...shortPolynomial(random)]).toEqual(expected);
  });
});
