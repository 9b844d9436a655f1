import { describe, expect, it } from "vitest";
import { newTotpSecret, otpauthUri, parseTotpSecret } from "../../../src/authenticators/totp/totp-secret.js";

const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

describe("newTotpSecret", () => {
  it.each([
    [undefined, 20],
    ["sha1", 20],
    ["sha256", 32],
    ["sha512", 64],
  ] as const)("makes a new one each time, for %s of %i bytes", (algorithm, length) => {
    const options = algorithm === undefined ? {} : { algorithm };
    const secrets = [newTotpSecret(options), newTotpSecret(options)];
    expect(new Set(secrets).size).toBe(2);
    for (const secret of secrets) expect(parseTotpSecret(secret)).toHaveLength(length);
  });
});

describe("parseTotpSecret", () => {
  it("reads what people copy", () => {
    expect(parseTotpSecret(SECRET).toString()).toBe("12345678901234567890");
    expect(parseTotpSecret("gezd gnbv gy3t qojq gezd gnbv gy3t qojq").toString()).toBe("12345678901234567890");
  });

  it.each([
    ["JBSWY3DPEHPK3PXP", "the secret has 10 bytes, not 16 to 128"],
    ["", "the secret has 0 bytes"],
    ["A".repeat(208), "the secret has 130 bytes"],
    ["secret!", "the secret is not in base32"],
  ])("refuses %j", (text, reason) => {
    expect(() => parseTotpSecret(text)).toThrow(reason);
  });
});

describe("otpauthUri", () => {
  it("is what apps read from a QR code", () => {
    expect(otpauthUri({ issuer: "My Server", username: "ann@example.com", secret: SECRET.toLowerCase() })).toBe(
      `otpauth://totp/My%20Server:ann%40example.com?secret=${SECRET}&issuer=My%20Server&algorithm=SHA1&digits=6&period=30`,
    );
    const uri = new URL(
      otpauthUri({ issuer: "a&b=c", username: "ü/?#", secret: SECRET, algorithm: "sha256", digits: 8, period: 60 }),
    );
    expect(decodeURIComponent(uri.pathname)).toBe("/a&b=c:ü/?#");
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      secret: SECRET,
      issuer: "a&b=c",
      algorithm: "SHA256",
      digits: "8",
      period: "60",
    });
  });

  it.each([
    [{ issuer: "" }, "issuer: must be a text without a colon"],
    [{ issuer: "a:b" }, "issuer"],
    [{ username: "a:b" }, "username"],
    [{ secret: "JBSWY3DPEHPK3PXP" }, "secret: the secret has 10 bytes"],
    [{ digits: 4 }, "digits"],
  ])("refuses %j", (options, message) => {
    expect(() => otpauthUri({ issuer: "here", username: "ann", secret: SECRET, ...options })).toThrow(message);
  });
});
