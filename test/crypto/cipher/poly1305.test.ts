import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { authenticate, poly1305 } from "../../../src/crypto/cipher/poly1305.js";
import { referencePoly1305 } from "./reference.js";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const ones = "ff".repeat(16);
const limb = (start: string): string => start.padEnd(32, "0");

/** RFC 8439 §2.5.2 and appendix A.3, numbers 1 and 7 to 11: the ones about carries and the final reduction. */
const vectors = [
  {
    name: "§2.5.2",
    key: "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
    data: Buffer.from("Cryptographic Forum Research Group").toString("hex"),
    tag: "a8061dc1305136c6c22b8baf0c0127a9",
  },
  { name: "A.3 #1", key: "00".repeat(32), data: "00".repeat(64), tag: limb("00") },
  { name: "A.3 #7", key: limb("02") + limb("00"), data: ones, tag: limb("03") },
  { name: "A.3 #8", key: limb("02") + ones, data: limb("02"), tag: limb("03") },
  { name: "A.3 #9", key: limb("01") + limb("00"), data: `${ones}f0${"ff".repeat(15)}${limb("11")}`, tag: limb("05") },
  {
    name: "A.3 #10",
    key: limb("01") + limb("00"),
    data: `${ones}fb${"fe".repeat(15)}${"01".repeat(16)}`,
    tag: limb(""),
  },
  { name: "A.3 #11", key: limb("02") + limb("00"), data: `fd${"ff".repeat(15)}`, tag: `fa${"ff".repeat(15)}` },
];

describe("Poly1305", () => {
  const tagOf = (key: Buffer, data: Buffer): Buffer => {
    const tag = Buffer.alloc(16, 0xee);
    authenticate(tag, data, key);
    return tag;
  };

  it.each(vectors)("RFC 8439 $name", ({ key, data, tag }) => {
    expect(tagOf(hex(key), hex(data)).toString("hex")).toBe(tag);
  });

  it("agrees with the definition for any key and data", () => {
    const extreme = fc.constantFrom(0x00, 0x01, 0xfb, 0xfc, 0xff);
    const byte = fc.oneof(extreme, fc.nat(255));
    const buffer = (minLength: number, maxLength: number) =>
      fc.array(byte, { minLength, maxLength }).map((values) => Buffer.from(values));
    fc.assert(
      fc.property(buffer(32, 32), buffer(0, 200), (key, data) => {
        expect(tagOf(key, data).equals(referencePoly1305(key, data))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("takes messages of any length, long ones between short ones", () => {
    const key = Buffer.alloc(32, 0x5a);
    for (const length of [17, 300_000, 1_000_000, 0, 65_535, 16]) {
      const data = Buffer.alloc(length, 0xa5);
      expect(tagOf(key, data).equals(referencePoly1305(key, data))).toBe(true);
    }
  });
});

it("poly1305 returns the tag in a buffer of its own", () => {
  const key = hex(vectors[0]?.key ?? "");
  const data = hex(vectors[0]?.data ?? "");
  const tag = poly1305(key, data);
  poly1305(key, Buffer.alloc(0));
  expect(tag.toString("hex")).toBe(vectors[0]?.tag);
});
