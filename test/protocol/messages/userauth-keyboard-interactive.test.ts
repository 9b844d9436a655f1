import { describe, expect, it } from "vitest";
import { InvalidTextError, ProtocolError } from "../../../src/protocol/errors.js";
import {
  decodeInfoRequest,
  decodeInfoResponse,
  decodeKeyboardInteractiveFields,
  encodeInfoRequest,
  encodeInfoResponse,
  encodeKeyboardInteractiveFields,
} from "../../../src/protocol/messages/userauth-keyboard-interactive.js";
import { Reader } from "../../../src/protocol/reader.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("method keyboard-interactive", () => {
  it("has a language, which is ignored, and submethods", () => {
    expect(encodeKeyboardInteractiveFields({ submethods: "ab" })).toEqual(hex("00000000 00000002 6162"));
    const fields = new Reader(hex("00000001 ff 00000002 6162"));
    expect(decodeKeyboardInteractiveFields(fields)).toEqual({ submethods: "ab" });
  });

  it("asks (RFC 4256 §3.2)", () => {
    const request = { name: "n", instruction: "i", prompts: [{ prompt: "p", echo: true }] };
    expect(encodeInfoRequest(request)).toEqual(hex("3c 00000001 6e 00000001 69 00000000 00000001 00000001 70 01"));
    expect(encodeInfoRequest({ prompts: [] })).toEqual(hex("3c 00000000 00000000 00000000 00000000"));
  });

  it("answers (RFC 4256 §3.4)", () => {
    expect(encodeInfoResponse(["a", ""])).toEqual(hex("3d 00000002 00000001 61 00000000"));
  });

  it("believes no count that is not that of the prompts or answers", () => {
    expect(() => decodeInfoRequest(hex("3c 00000000 00000000 00000000 ffffffff 00000000 00"))).toThrow(ProtocolError);
    expect(() => decodeInfoRequest(hex("3c 00000000 00000000 00000000 00000000 00000000 00"))).toThrow(ProtocolError);
    expect(() => decodeInfoResponse(hex("3d ffffffff"), 1)).toThrow(ProtocolError);
    expect(() => decodeInfoResponse(hex("3d 00000002 00000000"), 2)).toThrow(ProtocolError);
    expect(() => decodeInfoResponse(hex("3d 00000001 00000000 00000000"), 1)).toThrow(ProtocolError);
    expect(() => decodeInfoResponse(hex("3d 00000001 00000000"), 2)).toThrow(ProtocolError);
  });

  it("takes no answer that is not UTF-8", () => {
    expect(() => decodeInfoResponse(hex("3d 00000001 00000001 ff"), 1)).toThrow(InvalidTextError);
  });
});
