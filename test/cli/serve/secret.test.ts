import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomPassword, sameSecret } from "../../../src/cli/serve/secret.js";
import { codePoint } from "../../support/code-point.js";

describe("sameSecret", () => {
  it("agrees with ===", () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint }), fc.string({ unit: codePoint }), (one, other) => {
        expect(sameSecret(one, other)).toBe(one === other);
        expect(sameSecret(one, one)).toBe(true);
      }),
    );
  });
});

describe("randomPassword", () => {
  it("holds 128 bits and is never the same", () => {
    const passwords = new Set(Array.from({ length: 1000 }, randomPassword));
    expect(passwords.size).toBe(1000);
    for (const password of passwords) expect(password).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });
});
