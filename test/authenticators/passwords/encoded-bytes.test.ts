import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64, requireLength } from "../../../src/authenticators/passwords/encoded-bytes.js";

describe("decodeBase64", () => {
  it("reads what encodeBase64 makes, and no other text for it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (array) => {
        const bytes = Buffer.from(array);
        const text = encodeBase64(bytes);
        expect(text).not.toContain("=");
        expect(decodeBase64(text)).toEqual(bytes);
        expect(() => decodeBase64(`${text}=`)).toThrow("base64");
        expect(() => decodeBase64(` ${text}`)).toThrow("base64");
      }),
    );
    expect(() => decodeBase64("AB")).toThrow("base64");
    expect(() => decodeBase64("A-_A")).toThrow("base64");
  });
});

describe("requireLength", () => {
  it("says what is too short or too long", () => {
    expect(requireLength("salt", Buffer.alloc(8), 8, 16)).toHaveLength(8);
    expect(requireLength("salt", Buffer.alloc(16), 8, 16)).toHaveLength(16);
    expect(() => requireLength("salt", Buffer.alloc(7), 8, 16)).toThrow("the salt has 7 bytes, not 8 to 16");
    expect(() => requireLength("salt", Buffer.alloc(17), 8, 16)).toThrow("the salt has 17 bytes, not 8 to 16");
  });
});
