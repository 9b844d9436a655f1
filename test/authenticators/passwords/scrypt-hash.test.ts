import { describe, expect, it } from "vitest";
import { parsePasswordHash } from "../../../src/authenticators/passwords/parse-password-hash.js";
import { matchesHash } from "../../../src/authenticators/passwords/password-hash.js";
import { hashPassword, nobodysHash, parseScryptHash } from "../../../src/authenticators/passwords/scrypt-hash.js";

/** RFC 7914 §12: N = 16384, r = 8, p = 1. */
const RFC_7914 = {
  password: "pleaseletmein",
  salt: Buffer.from("SodiumChloride"),
  hash: Buffer.from(
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" +
      "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
    "hex",
  ),
};

const base64 = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");
const SALT = base64(RFC_7914.salt);
const HASH = base64(RFC_7914.hash);

describe("parseScryptHash", () => {
  it("reads the hash of RFC 7914", async () => {
    const known = parseScryptHash(`$scrypt$ln=14,r=8,p=1$${SALT}$${HASH}`);
    expect(await matchesHash(RFC_7914.password, known)).toBe(true);
    expect(await matchesHash("pleaseletmeiN", known)).toBe(false);
    expect(await matchesHash("", known)).toBe(false);
  });

  it.each([
    [`$scrypt$ln=14,r=8,p=1$${SALT}$`, /is not \$scrypt/],
    [`$scrypt$ln=14,r=8,p=1$${SALT}$${HASH}\n`, /is not \$scrypt/],
    [`$scrypt$ln=14,r=8,p=1$${SALT}$${HASH}==`, /is not \$scrypt/],
    [`$scrypt$ln=14,r=8,p=1$${SALT}$${HASH.slice(0, -1)}x`, /base64/],
    [`$scrypt$ln=14,r=8,p=1$${SALT}$${HASH.slice(0, 40)}`, /the hash has 30 bytes/],
    [`$scrypt$ln=14,r=8,p=1$${SALT}$${HASH}AAAA`, /the hash has 67 bytes/],
    [`$scrypt$ln=14,r=8,p=1$${SALT.slice(0, 8)}$${HASH}`, /the salt has 6 bytes/],
    [`$scrypt$ln=13,r=8,p=1$${SALT}$${HASH}`, /cheap/],
    [`$scrypt$ln=00,r=8,p=1$${SALT}$${HASH}`, /cheap/],
    [`$scrypt$ln=14,r=1,p=1$${SALT}$${HASH}`, /cheap/],
    [`$scrypt$ln=14,r=8,p=0$${SALT}$${HASH}`, /cheap/],
    [`$scrypt$ln=20,r=8,p=1$${SALT}$${HASH}`, /expensive/],
    [`$scrypt$ln=99,r=8,p=1$${SALT}$${HASH}`, /expensive/],
    [`$scrypt$ln=14,r=999,p=1$${SALT}$${HASH}`, /expensive/],
    [`$scrypt$ln=14,r=8,p=999$${SALT}$${HASH}`, /expensive/],
  ])("refuses %j", (text, reason) => {
    expect(() => parseScryptHash(text)).toThrow(reason);
  });
});

describe("hashPassword", () => {
  it("makes a line that the password matches, and another each time", async () => {
    const [line, other] = await Promise.all([hashPassword("größer 🔑"), hashPassword("größer 🔑")]);
    expect(line).not.toBe(other);
    expect(line).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    const known = parsePasswordHash(line);
    expect(await matchesHash("größer 🔑", known)).toBe(true);
    expect(await matchesHash("groesser", known)).toBe(false);
    expect(known.cost).toBe(nobodysHash().cost);
  });
});

describe("nobodysHash", () => {
  it("is that of no password", async () => {
    expect(await matchesHash("", nobodysHash())).toBe(false);
  });
});
