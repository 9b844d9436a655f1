import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/protocol/errors.js";
import {
  decodePasswordFields,
  encodePasswordChangeRequest,
  encodePasswordFields,
} from "../../../src/protocol/messages/userauth-password.js";
import { Reader } from "../../../src/protocol/reader.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("method password", () => {
  it("has the password, and the new one in a change", () => {
    expect(encodePasswordFields({ password: hex("00ff") })).toEqual(hex("00 00000002 00ff"));
    expect(encodePasswordFields({ password: hex("61"), newPassword: hex("62") })).toEqual(
      hex("01 00000001 61 00000001 62"),
    );
  });

  it("has a new password only where it says so", () => {
    expect(() => decodePasswordFields(new Reader(hex("00 00000001 61 00000001 62")))).toThrow(ProtocolError);
    expect(() => decodePasswordFields(new Reader(hex("01 00000001 61")))).toThrow(ProtocolError);
  });

  it("asks for a new one", () => {
    expect(encodePasswordChangeRequest("new")).toEqual(hex("3c 00000003 6e6577 00000000"));
  });
});
