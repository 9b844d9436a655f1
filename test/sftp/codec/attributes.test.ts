import { constants } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FileAttributes } from "../../../src/files/file-system.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { readAttributes, readSize, toMode, writeAttributes } from "../../../src/sftp/codec/attributes.js";
import { expectEveryTruncationRefused } from "../../protocol/fields.js";
import { attributes } from "../../support/sftp-packets.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

const file: FileAttributes = { type: "file", size: 5, permissions: 0o644, accessTime: 1, modifyTime: 2 };

function write(changes: Partial<FileAttributes>): string {
  const writer = new Writer();
  writeAttributes(writer, { ...file, ...changes });
  return writer.toBuffer().toString("hex");
}

function read(bytes: Buffer) {
  const reader = new Reader(bytes);
  const changes = readAttributes(reader);
  reader.end();
  return changes;
}

describe("writeAttributes", () => {
  it("writes size, owner, mode and times (draft-ietf-secsh-filexfer-02 §5)", () => {
    const all = { size: 0x1_0000_0002, uid: 1000, gid: 0xffff_fffe, permissions: 0o4755, accessTime: 3, modifyTime: 4 };
    expect(write(all)).toBe(
      ["0000000f", "0000000100000002", "000003e8", "fffffffe", "000089ed", "00000003", "00000004"].join(""),
    );
  });

  it("has 0 for owners that are not known", () => {
    expect(write({})).toBe(
      "0000000f 0000000000000005 00000000 00000000 000081a4 00000001 00000002".replaceAll(" ", ""),
    );
  });

  it.each([
    ["before 1970", -1.5, "00000000"],
    ["after 2106", 2 ** 32, "ffffffff"],
    ["between two seconds", 1.999, "00000001"],
    ["that is none", Number.NaN, "00000000"],
    ["without end", Number.POSITIVE_INFINITY, "ffffffff"],
  ])("a time %s", (_, modifyTime, expected) => {
    expect(write({ modifyTime }).slice(-8)).toBe(expected);
  });

  it("keeps bits beyond the permissions out of the mode", () => {
    expect(write({ permissions: 0o177777 }).slice(40, 48)).toBe("00008fff");
  });
});

describe("toMode", () => {
  it.each([
    ["file", constants.S_IFREG],
    ["directory", constants.S_IFDIR],
    ["symlink", constants.S_IFLNK],
    ["fifo", constants.S_IFIFO],
    ["socket", constants.S_IFSOCK],
    ["character-device", constants.S_IFCHR],
    ["block-device", constants.S_IFBLK],
    ["unknown", 0],
  ] as const)("has the bits of POSIX for a %s", (type, bits) => {
    expect(toMode({ ...file, type })).toBe(bits | 0o644);
  });
});

describe("readAttributes", () => {
  it("reads each field where its flag is set", () => {
    expect(read(hex("00000000"))).toEqual({});
    expect(read(hex("00000001 0000000000000007"))).toEqual({ size: 7 });
    expect(read(hex("00000002 00000001 00000002"))).toEqual({ owner: { uid: 1, gid: 2 } });
    expect(read(hex("00000004 000081a4"))).toEqual({ permissions: 0o644 });
    expect(read(hex("00000008 00000003 ffffffff"))).toEqual({ times: { accessTime: 3, modifyTime: 0xffffffff } });
    expect(read(hex("80000000 00000001 00000001 61 00000002 6263"))).toEqual({});
  });

  it("reads what this test writes", () => {
    const uint32 = fc.nat({ max: 0xffff_ffff });
    const fields = fc.record(
      {
        size: fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) }),
        owner: fc.tuple(uint32, uint32),
        permissions: uint32,
        times: fc.tuple(uint32, uint32),
        extended: fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fields, (wanted) => {
        const { bytes } = attributes(wanted);
        const { size, owner, permissions, times } = wanted;
        expect(read(Buffer.from(bytes))).toEqual({
          ...(size !== undefined && { size: Number(size) }),
          ...(owner !== undefined && { owner: { uid: owner[0], gid: owner[1] } }),
          ...(permissions !== undefined && { permissions: permissions & 0o7777 }),
          ...(times !== undefined && { times: { accessTime: times[0], modifyTime: times[1] } }),
        });
        expectEveryTruncationRefused(Buffer.from(bytes), read);
      }),
    );
  });

  it("refuses a count of extended attributes that are not there", () => {
    expect(() => read(hex("80000000 ffffffff"))).toThrow(ProtocolError);
    expect(() => read(hex("80000000 ffffffff 00000000 00000000"))).toThrow(ProtocolError);
    expect(() => read(hex("80000000 00000001 ffffffff"))).toThrow(ProtocolError);
  });

  it("does not know other flags: what follows them is too much", () => {
    expect(read(hex("00000010"))).toEqual({});
    expect(() => read(hex("00000010 00000000"))).toThrow(ProtocolError);
  });
});

describe("readSize", () => {
  const readHex = (text: string) => readSize(new Reader(hex(text)));

  it("takes what a number holds exactly", () => {
    expect(readHex("0000000000000000")).toBe(0);
    expect(readHex("001fffffffffffff")).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each(["0020000000000000", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff"])("refuses %s", (text) => {
    expect(() => readHex(text)).toThrow("File too large");
  });
});
