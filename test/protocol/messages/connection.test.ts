import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as messages from "../../../src/protocol/messages/connection.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { bytesArbitrary, expectEveryTruncationRefused, nameArbitrary, uint32Arbitrary } from "../fields.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("SSH_MSG_CHANNEL_OPEN", () => {
  it("is read with the fields of its kind left over", () => {
    fc.assert(
      fc.property(
        nameArbitrary,
        fc.tuple(uint32Arbitrary, uint32Arbitrary, uint32Arbitrary),
        bytesArbitrary,
        (kind, [senderChannel, initialWindowSize, maximumPacketSize], fields) => {
          const payload = new Writer().writeByte(90).writeString(kind).writeUint32(senderChannel);
          payload.writeUint32(initialWindowSize).writeUint32(maximumPacketSize).writeBytes(fields);
          expect(messages.decodeChannelOpen(payload.toBuffer())).toEqual({
            kind,
            senderChannel,
            initialWindowSize,
            maximumPacketSize,
            fields,
          });
        },
      ),
    );
  });

  it("is refused when it is cut short", () => {
    const payload = hex("5a 00000007 73657373696f6e 00000001 00200000 00008000");
    expectEveryTruncationRefused(payload, messages.decodeChannelOpen, 1);
  });
});

describe("messages of channels", () => {
  it.each([
    ["OPEN_CONFIRMATION", messages.encodeChannelOpenConfirmation(1, 2, 3, 4), "5b 00000001 00000002 00000003 00000004"],
    ["OPEN_FAILURE", messages.encodeChannelOpenFailure(1, 2, "no"), "5c 00000001 00000002 00000002 6e6f 00000000"],
    ["WINDOW_ADJUST", messages.encodeWindowAdjust(1, 0xffff_ffff), "5d 00000001 ffffffff"],
    ["EOF", messages.encodeChannelMessage(96, 5), "60 00000005"],
    [
      "exit-status",
      messages.encodeExitStatus(1, 0xffff_ffff),
      "62 00000001 0000000b 657869742d737461747573 00 ffffffff",
    ],
    [
      "exit-signal",
      messages.encodeExitSignal(1, { name: "TERM", coreDumped: true, message: "m" }),
      "62 00000001 0000000b 657869742d7369676e616c 00 00000004 5445524d 01 00000001 6d 00000000",
    ],
  ])("%s has its fields in the order of RFC 4254", (_, payload, expected) => {
    expect(payload).toEqual(hex(expected));
  });

  it("have heads for data whose length is set for each packet", () => {
    const head = messages.encodeDataHead(7);
    messages.setDataLength(head, 3);
    expect(head).toEqual(hex("5e 00000007 00000003"));
    messages.setDataLength(head, 0x01020304);
    expect(head).toEqual(hex("5e 00000007 01020304"));
  });

  it("have heads for extended data", () => {
    const head = messages.encodeExtendedDataHead(7, 1);
    messages.setDataLength(head, 3);
    expect(head).toEqual(hex("5f 00000007 00000001 00000003"));
  });
});

describe("requests", () => {
  it("are read from their name on, with their fields left over", () => {
    const request = messages.decodeRequest(new Reader(hex("00000003 656e76 01 aabb")));
    expect(request).toMatchObject({ kind: "env", wantReply: true });
    expect(request.fields.readRest()).toEqual(hex("aabb"));
    expectEveryTruncationRefused(hex("00000003 656e76 00"), (bytes) => messages.decodeRequest(new Reader(bytes)));
  });

  it("of the connection are written", () => {
    expect(messages.encodeGlobalRequest("abc", "wanted")).toEqual(hex("50 00000003 616263 01"));
    expect(messages.encodeGlobalRequest("abc", "unwanted")).toEqual(hex("50 00000003 616263 00"));
    expect(messages.encodeGlobalRequest("abc", "unwanted", hex("01 02"))).toEqual(hex("50 00000003 616263 00 0102"));
  });

  it("are answered", () => {
    expect(messages.encodeRequestSuccess()).toEqual(hex("51"));
    expect(messages.encodeRequestSuccess(hex("0016"))).toEqual(hex("51 0016"));
    expect(messages.encodeRequestFailure()).toEqual(hex("52"));
  });
});
