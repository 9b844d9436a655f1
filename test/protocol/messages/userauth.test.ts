import { describe, expect, it } from "vitest";
import { InvalidTextError } from "../../../src/protocol/errors.js";
import {
  decodeBanner,
  decodeUserauthRequest,
  encodeBanner,
  encodeUserauthFailure,
  encodeUserauthRequest,
  encodeUserauthSuccess,
} from "../../../src/protocol/messages/userauth.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

const head = { username: "u", service: "s", method: "m" };

describe("messages of the authentication protocol", () => {
  it.each([
    ["REQUEST", encodeUserauthRequest(head), "32 00000001 75 00000001 73 00000001 6d"],
    ["REQUEST with fields", encodeUserauthRequest(head, hex("ff")), "32 00000001 75 00000001 73 00000001 6d ff"],
    ["FAILURE", encodeUserauthFailure(["a", "b"], false), "33 00000003 612c62 00"],
    ["FAILURE with partial success", encodeUserauthFailure(["a"], true), "33 00000001 61 01"],
    ["SUCCESS", encodeUserauthSuccess(), "34"],
    ["BANNER", encodeBanner("hi"), "35 00000002 6869 00000000"],
  ])("%s has its fields in the order of RFC 4252", (_, payload, expected) => {
    expect(payload).toEqual(hex(expected));
  });

  it("name a user in UTF-8 only", () => {
    expect(() => decodeUserauthRequest(hex("32 00000001 ff 00000001 73 00000001 6d"))).toThrow(InvalidTextError);
  });

  it("have a banner of any bytes", () => {
    expect(decodeBanner(hex("35 00000002 ff41 00000002 656e"))).toBe("\ufffdA");
  });
});
