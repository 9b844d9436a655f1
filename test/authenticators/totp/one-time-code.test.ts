import { describe, expect, it } from "vitest";
import { oneTimeCode } from "../../../src/authenticators/totp/one-time-code.js";

const digits = "1234567890".repeat(7);
const SECRETS = {
  sha1: Buffer.from(digits.slice(0, 20)),
  sha256: Buffer.from(digits.slice(0, 32)),
  sha512: Buffer.from(digits.slice(0, 64)),
} as const;

/** RFC 4226, appendix D. */
const RFC_4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];

/** RFC 6238, appendix B, with errata 2866: seconds, and the code by each algorithm. */
const RFC_6238 = [
  [59, "94287082", "46119246", "90693936"],
  [1111111109, "07081804", "68084774", "25091201"],
  [1111111111, "14050471", "67062674", "99943326"],
  [1234567890, "89005924", "91819424", "93441116"],
  [2000000000, "69279037", "90698825", "38618901"],
  [20000000000, "65353130", "77737706", "47863826"],
] as const;

describe("oneTimeCode", () => {
  it.each(RFC_4226.map((code, counter) => [counter, code] as const))(
    "is for %i that of RFC 4226: %s",
    (counter, code) => {
      expect(oneTimeCode(SECRETS.sha1, counter, { algorithm: "sha1", digits: 6, period: 30 })).toBe(code);
    },
  );

  it.each(RFC_6238)("is at %i that of RFC 6238", (seconds, ...codes) => {
    const step = Math.floor(seconds / 30);
    const computed = (["sha1", "sha256", "sha512"] as const).map((algorithm) =>
      oneTimeCode(SECRETS[algorithm], step, { algorithm, digits: 8, period: 30 }),
    );
    expect(computed).toEqual(codes);
  });
});
