import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidTextError, ProtocolError } from "../../src/protocol/errors.js";
import { Reader } from "../../src/protocol/reader.js";
import {
  bytesArbitrary,
  expectEveryTruncationRefused,
  nameArbitrary,
  textArbitrary,
  uint32Arbitrary,
} from "./fields.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Bytes with their length in front, written without the code under test. */
function string(content: Uint8Array | string): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

describe("Reader", () => {
  it("reads the examples of RFC 4251 §5", () => {
    expect(new Reader(hex("29b7f4aa")).readUint32()).toBe(699_921_578);
    expect(new Reader(hex("00000007 74657374696e67")).readText()).toBe("testing");
    expect(new Reader(hex("00000000")).readNameList()).toEqual([]);
    expect(new Reader(hex("00000004 7a6c6962")).readNameList()).toEqual(["zlib"]);
    expect(new Reader(hex("00000009 7a6c69622c6e6f6e65")).readNameList()).toEqual(["zlib", "none"]);
  });

  it("reads fields one after the other and tells where it stands", () => {
    const reader = new Reader(hex("ff 07 01020304 0000000000000005 aabb"), 1);
    expect(reader.readByte()).toBe(7);
    expect(reader.readUint32()).toBe(0x01020304);
    expect(reader.readUint64()).toBe(5n);
    expect([reader.offset, reader.remaining]).toEqual([14, 2]);
    expect(() => reader.end()).toThrow(ProtocolError);
    expect(reader.readRest()).toEqual(hex("aabb"));
    reader.end();
    expect(reader.readRest()).toEqual(Buffer.alloc(0));
  });

  it("takes any byte but zero for true", () => {
    for (let byte = 0; byte < 256; byte++) expect(new Reader(Buffer.of(byte)).readBoolean()).toBe(byte !== 0);
  });

  it("gives views, not copies", () => {
    const bytes = string("abc");
    const read = new Reader(bytes).readString();
    bytes[4] = 0x7a;
    expect(read.toString()).toBe("zbc");
  });

  it("does not move when it refuses", () => {
    const reader = new Reader(hex("0102"));
    expect(() => reader.readUint32()).toThrow(ProtocolError);
    expect(reader.readRest()).toEqual(hex("0102"));
  });

  it("believes no length that is not there, and allocates nothing for it", () => {
    for (const length of ["00000001", "7fffffff", "80000000", "ffffffff"]) {
      expect(() => new Reader(hex(length)).readString()).toThrow(ProtocolError);
      expect(() => new Reader(hex(length)).readNameList()).toThrow(ProtocolError);
      expect(() => new Reader(hex(length)).readMpint()).toThrow(ProtocolError);
    }
  });

  it("refuses every message that is cut short, at every byte", () => {
    const message = Buffer.concat([
      hex("01 02 00000003 0000000000000004"),
      string("bytes"),
      string("täxt"),
      string("one,two"),
      string(hex("0080")),
    ]);
    expectEveryTruncationRefused(message, (bytes) => {
      const reader = new Reader(bytes);
      reader.readByte();
      reader.readBoolean();
      reader.readUint32();
      reader.readUint64();
      reader.readString();
      reader.readText();
      reader.readNameList();
      reader.readMpint();
      reader.end();
    });
  });

  it("throws nothing but ProtocolError, whatever the bytes", () => {
    const methods = [
      "readByte",
      "readBoolean",
      "readUint32",
      "readUint64",
      "readString",
      "readText",
      "readNameList",
      "readMpint",
      "readRest",
      "end",
    ] as const;
    fc.assert(
      fc.property(bytesArbitrary, fc.array(fc.constantFrom(...methods), { maxLength: 12 }), (bytes, calls) => {
        const reader = new Reader(bytes);
        for (const call of calls) {
          try {
            reader[call]();
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
          expect(reader.remaining).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

describe("Reader.readText", () => {
  it("reads any UTF-8, a byte order mark included", () => {
    fc.assert(
      fc.property(textArbitrary, (text) => {
        expect(new Reader(string(text)).readText()).toBe(Buffer.from(text).toString());
      }),
    );
    expect(new Reader(string("\ufeffa")).readText()).toBe("\ufeffa");
  });

  it.each([
    ["a lone continuation byte", "80"],
    ["an overlong zero", "c080"],
    ["a surrogate", "eda080"],
    ["a cut sequence", "e282"],
    ["beyond Unicode", "f4908080"],
  ])("refuses %s", (_, bytes) => {
    expect(() => new Reader(string(hex(bytes))).readText()).toThrow(InvalidTextError);
  });
});

describe("Reader.readNameList", () => {
  it("splits at commas", () => {
    fc.assert(
      fc.property(fc.array(nameArbitrary, { maxLength: 8 }), (names) => {
        expect(new Reader(string(names.join(","))).readNameList()).toEqual(names);
      }),
    );
  });

  it.each([
    [",", []],
    ["a,", ["a"]],
    [",a", ["a"]],
    [",,a,,,b,,", ["a", "b"]],
    ["a b, c", ["a b", " c"]],
  ])("takes %j as sshd does", (list, names) => {
    expect(new Reader(string(list)).readNameList()).toEqual(names);
  });

  it.each(["a\tb", "a\n", "a\0", "ä", "a\x7f"])("refuses %j", (list) => {
    expect(() => new Reader(string(list)).readNameList()).toThrow(ProtocolError);
  });
});

describe("Reader.readName", () => {
  it("keeps names apart that are different bytes", () => {
    fc.assert(
      fc.property(bytesArbitrary, (bytes) => {
        expect(Buffer.from(new Reader(string(bytes)).readName(), "latin1")).toEqual(bytes);
      }),
    );
  });
});

describe("Reader.readMpint", () => {
  it.each([
    ["zero", "00000000", ""],
    ["an example of RFC 4251 §5", "00000008 09a378f9b2e332a7", "09a378f9b2e332a7"],
    ["its example with a leading zero", "00000002 0080", "80"],
    ["one", "00000001 01", "01"],
    ["127", "00000001 7f", "7f"],
  ])("reads %s", (_, bytes, magnitude) => {
    expect(new Reader(hex(bytes)).readMpint()).toEqual(hex(magnitude));
  });

  it.each([
    ["a negative example of RFC 4251 §5", "00000002 edcc"],
    ["its other one", "00000005 ff21524111"],
    ["-1", "00000001 ff"],
    ["zero as a byte", "00000001 00"],
    ["zero as two bytes", "00000002 0000"],
    ["a zero that is not needed", "00000002 007f"],
    ["two zeros before a high bit", "00000003 000080"],
  ])("refuses %s", (_, bytes) => {
    expect(() => new Reader(hex(bytes)).readMpint()).toThrow(ProtocolError);
  });

  it("reads the one encoding of every integer", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 2048n }), uint32Arbitrary, (value, next) => {
        const digits = value.toString(16);
        const magnitude = Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
        const sign = (magnitude[0] ?? 0) & 0x80 ? Buffer.of(0) : Buffer.alloc(0);
        const rest = Buffer.alloc(4);
        rest.writeUInt32BE(next);
        const reader = new Reader(Buffer.concat([string(Buffer.concat([sign, magnitude])), rest]));
        expect(reader.readMpint()).toEqual(magnitude);
        expect(reader.readUint32()).toBe(next);
      }),
    );
  });
});
