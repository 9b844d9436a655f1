import { describe, expect, it } from "vitest";
import {
  decodeChannelOpen,
  decodeChannelOpenFailure,
  encodeChannelOpen,
  encodeChannelOpenConfirmation,
  encodeChannelOpenFailure,
} from "../../../src/protocol/messages/channel-open.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("messages that open channels", () => {
  it("have their fields in the order of RFC 4254 §5.1", () => {
    const sizes = { initialWindowSize: 3, maximumPacketSize: 4, fields: hex("ff") };
    expect(encodeChannelOpen({ kind: "ab", senderChannel: 2, ...sizes })).toEqual(
      hex("5a 00000002 6162 00000002 00000003 00000004 ff"),
    );
    expect(encodeChannelOpenConfirmation({ recipientChannel: 1, senderChannel: 2, ...sizes })).toEqual(
      hex("5b 00000001 00000002 00000003 00000004 ff"),
    );
    expect(encodeChannelOpenFailure({ recipientChannel: 1, reason: 2, description: "no" })).toEqual(
      hex("5c 00000001 00000002 00000002 6e6f 00000000"),
    );
  });

  it("name a kind in bytes of any value", () => {
    const open = decodeChannelOpen(hex("5a 00000001 ff 00000002 00000003 00000004"));
    expect(open.kind).toBe("\u00ff");
  });

  it("are refused with a description in bytes of any value, and with a language", () => {
    const failure = decodeChannelOpenFailure(hex("5c 00000001 00000002 00000002 ff41 00000002 656e"));
    expect(failure).toEqual({ recipientChannel: 1, reason: 2, description: "\ufffdA" });
  });
});
