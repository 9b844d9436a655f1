import { describe, expect, it } from "vitest";
import {
  encodeChannelMessage,
  encodeDataHead,
  encodeExtendedDataHead,
  encodeWindowAdjust,
  setDataLength,
} from "../../../src/protocol/messages/channels.js";
import { encodeExitSignal, encodeExitStatus } from "../../../src/protocol/messages/exit.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("messages of channels", () => {
  it.each([
    ["WINDOW_ADJUST", encodeWindowAdjust(1, 0xffff_ffff), "5d 00000001 ffffffff"],
    ["EOF", encodeChannelMessage(96, 5), "60 00000005"],
    ["exit-status", encodeExitStatus(1, 0xffff_ffff), "62 00000001 0000000b 657869742d737461747573 00 ffffffff"],
    [
      "exit-signal",
      encodeExitSignal(1, { name: "TERM", coreDumped: true, message: "m" }),
      "62 00000001 0000000b 657869742d7369676e616c 00 00000004 5445524d 01 00000001 6d 00000000",
    ],
  ])("%s has its fields in the order of RFC 4254", (_, payload, expected) => {
    expect(payload).toEqual(hex(expected));
  });

  it("have heads for data whose length is set for each packet", () => {
    const head = encodeDataHead(7);
    setDataLength(head, 3);
    expect(head).toEqual(hex("5e 00000007 00000003"));
    setDataLength(head, 0x01020304);
    expect(head).toEqual(hex("5e 00000007 01020304"));
  });

  it("have heads for extended data", () => {
    const head = encodeExtendedDataHead(7, 1);
    setDataLength(head, 3);
    expect(head).toEqual(hex("5f 00000007 00000001 00000003"));
  });
});
