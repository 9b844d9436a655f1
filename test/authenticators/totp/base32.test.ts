import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase32, encodeBase32 } from "../../../src/authenticators/totp/base32.js";

/** RFC 4648 §10. */
const RFC_4648 = [
  ["", ""],
  ["f", "MY======"],
  ["fo", "MZXQ===="],
  ["foo", "MZXW6==="],
  ["foob", "MZXW6YQ="],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI======"],
] as const;

describe("base32", () => {
  it.each(RFC_4648)("has for %j the text of RFC 4648", (text, encoded) => {
    expect(encodeBase32(Buffer.from(text))).toBe(encoded.replaceAll("=", ""));
    expect(decodeBase32(encoded).toString()).toBe(text);
    expect(decodeBase32(encoded.replaceAll("=", "").toLowerCase()).toString()).toBe(text);
  });

  it("is read in groups", () => {
    expect(decodeBase32("mzxw 6ytb oi").toString()).toBe("foobar");
  });

  it("gives back all bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect([...decodeBase32(encodeBase32(bytes))]).toEqual([...bytes]);
      }),
    );
  });

  it.each(["MZXW6YT1", "MZXW6YT0", "MZXW-6YT", "A", "MZX", "MZ=XW", "MY\n", "MZ", "ſſ"])("does not take %j", (text) => {
    expect(() => decodeBase32(text)).toThrow("the secret is not in base32");
  });
});
