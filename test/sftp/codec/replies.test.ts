import { describe, expect, it } from "vitest";
import type { FileAttributes } from "../../../src/files/file-system.js";
import { StatusCode } from "../../../src/sftp/codec/constants.js";
import {
  DATA_HEAD_LENGTH,
  encodeAttributes,
  encodeExtendedReply,
  encodeHandle,
  encodeOk,
  encodePath,
  encodeStatus,
  encodeVersion,
  NamesReply,
  setDataHead,
} from "../../../src/sftp/codec/replies.js";

const ID = 0x01020304;
const attributes: FileAttributes = { type: "directory", size: 6, permissions: 0o755, accessTime: 7, modifyTime: 8 };
const attributesHex = "0000000f 0000000000000006 00000000 00000000 000041ed 00000007 00000008";

function hex(bytes: Buffer): string {
  return bytes.toString("hex");
}

function bytes(text: string): string {
  return text.replaceAll(" ", "");
}

describe("replies (draft-ietf-secsh-filexfer-02 §7)", () => {
  it("VERSION with extensions", () => {
    expect(hex(encodeVersion(3, new Map()))).toBe(bytes("00000005 02 00000003"));
    expect(hex(encodeVersion(3, new Map([["a@b", "1"]])))).toBe(
      bytes("00000011 02 00000003 00000003 614062 00000001 31"),
    );
  });

  it("STATUS with its text and language", () => {
    expect(hex(encodeStatus(ID, StatusCode.EOF, "eof"))).toBe(
      bytes("00000016 65 01020304 00000001 00000003 656f66 00000002 656e"),
    );
    expect(hex(encodeOk(ID))).toBe(bytes("0000001a 65 01020304 00000000 00000007 53756363657373 00000002 656e"));
  });

  it("HANDLE", () => {
    expect(hex(encodeHandle(ID, Buffer.from("abcd")))).toBe(bytes("0000000d 66 01020304 00000004 61626364"));
  });

  it("DATA, around what was read", () => {
    const packet = Buffer.alloc(DATA_HEAD_LENGTH + 2, "x");
    setDataHead(packet, ID, 2);
    expect(hex(packet)).toBe(bytes("0000000b 67 01020304 00000002 7878"));
  });

  it("ATTRS", () => {
    expect(hex(encodeAttributes(ID, attributes))).toBe(bytes(`00000025 69 01020304 ${attributesHex}`));
  });

  it("NAME of one path, without attributes", () => {
    expect(hex(encodePath(ID, "/\udcff"))).toBe(
      bytes("00000019 68 01020304 00000001 00000002 2fff 00000002 2fff 00000000"),
    );
  });

  it("NAME of entries", () => {
    const names = new NamesReply();
    expect(names.add("a", "löng ", attributes)).toBe(true);
    expect(names.add("\udcff", "", attributes)).toBe(true);
    expect(names.count).toBe(2);
    expect(hex(names.encode(ID))).toBe(
      bytes(
        `00000063 68 01020304 00000002
        00000001 61 00000007 6cc3b66e672061 ${attributesHex}
        00000001 ff 00000001 ff ${attributesHex}`.replaceAll("\n", ""),
      ),
    );
    expect(hex(new NamesReply().encode(ID))).toBe(bytes("00000009 68 01020304 00000000"));
  });

  it("NAME has at most 32 KiB, unless one entry alone has more", () => {
    const names = new NamesReply();
    expect(names.add("n".repeat(4000), "l".repeat(40_000), attributes)).toBe(true);
    expect(names.add("n", "", attributes)).toBe(false);
    expect(names.encode(ID)).toHaveLength(13 + 4 + 4000 + 4 + 44_000 + 32);
    const full = new NamesReply();
    while (full.add("name", "l".repeat(210), attributes));
    expect(full.encode(ID)).toHaveLength(13 + 126 * 258);
  });

  it("EXTENDED_REPLY", () => {
    expect(hex(encodeExtendedReply(ID, (writer) => writer.writeUint64(1n)))).toBe(
      bytes("0000000d c9 01020304 0000000000000001"),
    );
  });
});
