import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isEd25519Point } from "../../../src/crypto/keys/ed25519-point.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";

const PRIME = 2n ** 255n - 19n;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % PRIME;
    if (bit === "1") result = (result * base) % PRIME;
  }
  return result;
}

/** RFC 8032 §5.1.3, by Euler's criterion: whether x² = (y² - 1) / (d y² + 1) has a solution. */
function hasX(y: bigint): boolean {
  const d = ((PRIME - 121665n) * power(121666n, PRIME - 2n)) % PRIME;
  const ySquared = (y * y) % PRIME;
  const xSquared = ((ySquared - 1n + PRIME) * power((d * ySquared + 1n) % PRIME, PRIME - 2n)) % PRIME;
  return power(xSquared, (PRIME - 1n) / 2n) === 1n;
}

describe("isEd25519Point", () => {
  it("agrees with Euler's criterion", () => {
    const results = new Set<boolean>();
    fc.assert(
      fc.property(fc.bigInt({ min: 2n, max: PRIME - 2n }), fc.boolean(), (y, sign) => {
        const encoded = Buffer.from((y + (sign ? 2n ** 255n : 0n)).toString(16).padStart(64, "0"), "hex").reverse();
        const result = isEd25519Point(encoded);
        results.add(result);
        expect(result).toBe(hasX(y));
      }),
      // The points of order 8 are on the curve and refused; nobody meets them by chance.
      { numRuns: 200 },
    );
    expect(results.size).toBe(2);
  });

  it("takes every key that OpenSSL generates", () => {
    for (let count = 0; count < 100; count++) {
      expect(isEd25519Point(PKey.generate({ keyType: "ed25519" }).publicBlob.subarray(-32))).toBe(true);
    }
  });
});
