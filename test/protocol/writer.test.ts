import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { bytesArbitrary, nameArbitrary, textArbitrary, uint32Arbitrary } from "./fields.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("Writer", () => {
  it("writes the examples of RFC 4251 §5", () => {
    expect(new Writer().writeUint32(699_921_578).toBuffer()).toEqual(hex("29b7f4aa"));
    expect(new Writer().writeString("testing").toBuffer()).toEqual(hex("00000007 74657374696e67"));
    expect(new Writer().writeNameList([]).toBuffer()).toEqual(hex("00000000"));
    expect(new Writer().writeNameList(["zlib"]).toBuffer()).toEqual(hex("00000004 7a6c6962"));
    expect(new Writer().writeNameList(["zlib", "none"]).toBuffer()).toEqual(hex("00000009 7a6c69622c6e6f6e65"));
  });

  it("writes texts as UTF-8", () => {
    expect(new Writer().writeString("ä€").toBuffer()).toEqual(hex("00000005 c3a4e282ac"));
  });

  it("writes booleans as 1 and 0", () => {
    expect(new Writer().writeBoolean(true).writeBoolean(false).toBuffer()).toEqual(hex("0100"));
  });

  it("refuses numbers that do not fit", () => {
    expect(() => new Writer().writeByte(256)).toThrow(RangeError);
    expect(() => new Writer().writeUint32(2 ** 32)).toThrow(RangeError);
    expect(() => new Writer().writeUint32(-1)).toThrow(RangeError);
    expect(() => new Writer().writeUint64(2n ** 64n)).toThrow(RangeError);
  });

  it.each([
    ["zero", "", "00000000"],
    ["zeros only", "0000", "00000000"],
    ["an example of RFC 4251 §5", "09a378f9b2e332a7", "00000008 09a378f9b2e332a7"],
    ["a high bit", "80", "00000002 0080"],
    ["zeros before a high bit", "000080", "00000002 0080"],
    ["zeros before a low one", "00007f", "00000001 7f"],
  ])("writes an mpint: %s", (_, magnitude, bytes) => {
    expect(new Writer().writeMpint(hex(magnitude)).toBuffer()).toEqual(hex(bytes));
  });

  it("leaves what it gave alone while it goes on", () => {
    const writer = new Writer(4).writeUint32(1);
    const first = writer.toBuffer();
    writer.writeString("a longer text that does not fit the first allocation");
    expect(first).toEqual(hex("00000001"));
  });

  it("is read back by Reader, however small it begins", () => {
    const field = fc.oneof(
      fc.record({ type: fc.constant("byte" as const), value: fc.integer({ min: 0, max: 255 }) }),
      fc.record({ type: fc.constant("boolean" as const), value: fc.boolean() }),
      fc.record({ type: fc.constant("uint32" as const), value: uint32Arbitrary }),
      fc.record({ type: fc.constant("uint64" as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
      fc.record({ type: fc.constant("string" as const), value: bytesArbitrary }),
      fc.record({ type: fc.constant("bytes" as const), value: bytesArbitrary }),
      fc.record({ type: fc.constant("text" as const), value: textArbitrary }),
      fc.record({ type: fc.constant("names" as const), value: fc.array(nameArbitrary, { maxLength: 5 }) }),
      fc.record({ type: fc.constant("mpint" as const), value: bytesArbitrary }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.array(field, { maxLength: 12 }), (capacity, fields) => {
        const writer = new Writer(capacity);
        for (const { type, value } of fields) {
          if (type === "byte") writer.writeByte(value);
          else if (type === "boolean") writer.writeBoolean(value);
          else if (type === "uint32") writer.writeUint32(value);
          else if (type === "uint64") writer.writeUint64(value);
          else if (type === "string" || type === "text") writer.writeString(value);
          else if (type === "bytes") writer.writeBytes(value);
          else if (type === "names") writer.writeNameList(value);
          else writer.writeMpint(value);
        }
        const reader = new Reader(writer.toBuffer());
        for (const { type, value } of fields) {
          if (type === "byte") expect(reader.readByte()).toBe(value);
          else if (type === "boolean") expect(reader.readBoolean()).toBe(value);
          else if (type === "uint32") expect(reader.readUint32()).toBe(value);
          else if (type === "uint64") expect(reader.readUint64()).toBe(value);
          else if (type === "string") expect(reader.readString()).toEqual(value);
          else if (type === "text") expect(reader.readText()).toBe(value);
          else if (type === "bytes") expect(reader.readBytes(value.length)).toEqual(value);
          else if (type === "names") expect(reader.readNameList()).toEqual(value);
          else expect(reader.readMpint()).toEqual(withoutLeadingZeros(value));
        }
        reader.end();
      }),
    );
  });
});

function withoutLeadingZeros(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start === -1 ? Buffer.alloc(0) : bytes.subarray(start);
}
