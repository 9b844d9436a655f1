import { describe, expect, it } from "vitest";
import {
  encodeChannelRequest,
  encodeGlobalRequest,
  encodeRequestFailure,
  encodeRequestSuccess,
} from "../../../src/protocol/messages/requests.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("requests", () => {
  it("of the connection are written (RFC 4254 §4)", () => {
    expect(encodeGlobalRequest("abc", "wanted")).toEqual(hex("50 00000003 616263 01"));
    expect(encodeGlobalRequest("abc", "unwanted")).toEqual(hex("50 00000003 616263 00"));
    expect(encodeGlobalRequest("abc", "unwanted", hex("01 02"))).toEqual(hex("50 00000003 616263 00 0102"));
  });

  it("of a channel are written (RFC 4254 §5.4)", () => {
    expect(encodeChannelRequest(7, "abc", "wanted")).toEqual(hex("62 00000007 00000003 616263 01"));
    expect(encodeChannelRequest(7, "abc", "unwanted", hex("01"))).toEqual(hex("62 00000007 00000003 616263 00 01"));
  });

  it("are answered", () => {
    expect(encodeRequestSuccess()).toEqual(hex("51"));
    expect(encodeRequestSuccess(hex("0016"))).toEqual(hex("51 0016"));
    expect(encodeRequestFailure()).toEqual(hex("52"));
  });
});
