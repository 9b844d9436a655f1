import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePasswordHash } from "../../../src/authenticators/passwords/parse-password-hash.js";
import { matchesHash, type PasswordHash } from "../../../src/authenticators/passwords/password-hash.js";
import { KNOWN_HASHES } from "./known-hashes.js";

describe("parsePasswordHash", () => {
  it.each(Object.entries(KNOWN_HASHES))("reads %s", async (_kind, { password, hash }) => {
    const known = parsePasswordHash(hash);
    expect(await matchesHash(password, known)).toBe(true);
    expect(await matchesHash("Secret", known)).toBe(false);
  });

  it.each([
    "",
    "secret",
    "*",
    "$",
    "$$",
    "$1$salt$hash",
    "$y$j9T$salt$hash",
    "$apr1$salt$hash",
    "$constructor$",
    "{SHA}x=",
  ])("refuses %j", (text) => {
    expect(() => parsePasswordHash(text)).toThrow(
      "the hash is not of a kind that can be used: spindlex hash-password makes one",
    );
  });

  it("tells by their cost which hashes take the same time", () => {
    const costs = Object.values(KNOWN_HASHES).map(({ hash }) => parsePasswordHash(hash).cost);
    expect(new Set(costs).size).toBe(costs.length);
    const { hash } = KNOWN_HASHES.bcrypt;
    expect(parsePasswordHash(hash).cost).toBe(parsePasswordHash(hash.replace("2y", "2b")).cost);
    expect(parsePasswordHash(hash).cost).not.toBe(parsePasswordHash(hash.replace("$10$", "$11$")).cost);
  });

  it("never quotes what it refuses, nor fails otherwise", () => {
    const changed = fc
      .tuple(fc.constantFrom(...Object.values(KNOWN_HASHES).map(({ hash }) => hash)), fc.nat(150), fc.string())
      .map(([hash, at, text]) => hash.slice(0, at) + text + hash.slice(at + 1));
    fc.assert(
      fc.property(changed, (text) => {
        try {
          expect(parsePasswordHash(text).maxPasswordLength).toBeGreaterThanOrEqual(72);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          const { message } = error as Error;
          expect(message).not.toMatch(/\n/);
          const [secret = ""] = text.split("$").slice(-1);
          if (secret.length > 12) expect(message).not.toContain(secret);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("matchesHash", () => {
  it("computes a hash for each password, and takes none that would not be looked at whole", async () => {
    const asked: string[] = [];
    const known: PasswordHash = {
      cost: "",
      maxPasswordLength: 4,
      async matches(password) {
        asked.push(password.toString());
        return true;
      },
    };
    expect(await matchesHash("abcd", known)).toBe(true);
    expect(await matchesHash("abcde", known)).toBe(false);
    expect(await matchesHash("a\0b", known)).toBe(false);
    expect(await matchesHash("ää", known)).toBe(true);
    expect(await matchesHash("ääa", known)).toBe(false);
    expect(asked).toEqual(["abcd", "abcd", "a\0b", "ää", "ää"]);
  });
});
