import { describe, expect, it } from "vitest";
import { DisconnectReason } from "../../../src/protocol/constants.js";
import {
  decodeDisconnect,
  encodeDebug,
  encodeDisconnect,
  encodeIgnore,
  encodeNewKeys,
  encodePing,
  encodePong,
  encodeUnimplemented,
} from "../../../src/protocol/messages/transport.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("messages of the transport layer", () => {
  it.each([
    ["DISCONNECT", encodeDisconnect(DisconnectReason.BY_APPLICATION, "bye"), "01 0000000b 00000003 627965 00000000"],
    ["IGNORE", encodeIgnore(hex("ff")), "02 00000001 ff"],
    ["IGNORE without data", encodeIgnore(), "02 00000000"],
    ["UNIMPLEMENTED", encodeUnimplemented(0xffff_ffff), "03 ffffffff"],
    ["DEBUG", encodeDebug({ alwaysDisplay: true, message: "m" }), "04 01 00000001 6d 00000000"],
    ["NEWKEYS", encodeNewKeys(), "15"],
    ["PING", encodePing(hex("ff")), "c0 00000001 ff"],
    ["PONG", encodePong(hex("ff")), "c1 00000001 ff"],
  ])("%s has its fields in the order of RFC 4253", (_, payload, expected) => {
    expect(payload).toEqual(hex(expected));
  });

  it("DISCONNECT is read whatever the description holds, and without a language too", () => {
    expect(decodeDisconnect(hex("01 0000000b 00000002 ff41"))).toEqual({ reason: 11, description: "\ufffdA" });
  });
});
