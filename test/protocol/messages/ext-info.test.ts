import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { decodeExtInfo, encodeExtInfo } from "../../../src/protocol/messages/ext-info.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("SSH_MSG_EXT_INFO", () => {
  it("is written (RFC 8308 §2.3)", () => {
    expect(encodeExtInfo(new Map([["a", "bc"]]))).toEqual(hex("07 00000001 00000001 61 00000002 6263"));
  });

  it("takes any bytes for a value", () => {
    expect(decodeExtInfo(hex("07 00000001 00000001 61 00000002 00ff")).get("a")).toEqual(hex("00ff"));
  });

  it.each([
    ["more extensions than there are", "07 ffffffff 00000001 61 00000000"],
    ["fewer extensions than there are", "07 00000000 00000001 61 00000000"],
    ["a name that is not UTF-8", "07 00000001 00000001 ff 00000000"],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeExtInfo(hex(bytes))).toThrow(ProtocolError);
  });
});
