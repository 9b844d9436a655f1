import { describe, expect, it } from "vitest";
import { parseBcryptHash } from "../../../src/authenticators/passwords/bcrypt-hash.js";
import { matchesHash } from "../../../src/authenticators/passwords/password-hash.js";

const SALT = "N9qo8uLOickgx2ZMRZoMye";
const HASH = "i43NRw/bh8w29dpv431GhmdA9d6xppu";

describe("parseBcryptHash", () => {
  it.each([
    ["htpasswd -nbB -C 10", "secret", "$2y$10$p.xm5AgAZkRWtIAr0n1kfOIHKQLpM205fVLFaSwB.i7is7OGjaKqC"],
    ["mkpasswd -m bcrypt", "secret", "$2b$10$U4mk6fhkVrw.dRUPvLRyMeopGX538/whbkkuZFws44LV8.YsPUBH."],
    ["mkpasswd -m bcrypt-a", "secret", "$2a$10$.wtx7KN/aN5S6KftDa6AMuboRkbU.YzGiYqdT5JzWCIeDh4wDLAd6"],
    ["libxcrypt", "größer 🔑", "$2a$10$abcdefghijklmnopqrstuugl6ZB4Sc6bG5Kd4iSFRFeeT86z7cSNq"],
    ["libxcrypt", "größer 🔑", "$2b$10$abcdefghijklmnopqrstuugl6ZB4Sc6bG5Kd4iSFRFeeT86z7cSNq"],
    ["libxcrypt", "größer 🔑", "$2y$10$abcdefghijklmnopqrstuugl6ZB4Sc6bG5Kd4iSFRFeeT86z7cSNq"],
    ["libxcrypt", "x".repeat(72), `$2b$10$${SALT}${HASH}`],
  ])("reads what %s has made of %j", async (_program, password, hash) => {
    const known = parseBcryptHash(hash);
    expect(await matchesHash(password, known)).toBe(true);
    expect(await matchesHash(password.toUpperCase(), known)).toBe(false);
  });

  it("takes no empty password, and none of which bcrypt would not look at the end", async () => {
    const known = parseBcryptHash(`$2b$10$${SALT}${HASH}`);
    expect(await matchesHash("", known)).toBe(false);
    expect(await matchesHash("x".repeat(73), known)).toBe(false);
    expect(await matchesHash(`${"x".repeat(72)}secret`, known)).toBe(false);
  });

  it("takes no password with a NUL: to bcrypt, the two sides of it may be the same as one", async () => {
    // To the package, "secret" and "secret\0secret" are the same.
    const known = parseBcryptHash("$2b$10$U4mk6fhkVrw.dRUPvLRyMeopGX538/whbkkuZFws44LV8.YsPUBH.");
    expect(await known.matches(Buffer.from("secret\0secret"))).toBe(true);
    expect(await matchesHash("secret\0secret", known)).toBe(false);
    expect(await matchesHash("secret\0", known)).toBe(false);
  });

  it.each([
    [`$2b$09$${SALT}${HASH}`, "too cheap"],
    [`$2y$05$${SALT}${HASH}`, "too cheap"],
    [`$2b$15$${SALT}${HASH}`, "too expensive"],
    [`$2b$31$${SALT}${HASH}`, "too expensive"],
    [`$2b$99$${SALT}${HASH}`, "too expensive"],
    [`$2x$10$${SALT}${HASH}`, "is not $2b$"],
    [`$2b$10$${SALT.slice(1)}${HASH}`, "is not $2b$"],
    [`$2b$10$${SALT}${HASH}x`, "is not $2b$"],
    [`$2b$10$${SALT}${HASH}\n`, "is not $2b$"],
    [`$2b$1$${SALT}${HASH}`, "is not $2b$"],
    [`$2b$10$${SALT.slice(0, -1)}z${HASH}`, "is not $2b$"],
    [`$2b$10$${SALT}${HASH.slice(1)}!`, "is not $2b$"],
  ])("refuses %j", (text, reason) => {
    expect(() => parseBcryptHash(text)).toThrow(reason);
  });
});
