import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DisconnectReason } from "../../../src/protocol/constants.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import {
  decodeDisconnect,
  encodeDisconnect,
  encodePongTo,
  encodeUnimplemented,
} from "../../../src/protocol/messages/transport.js";
import { Writer } from "../../../src/protocol/writer.js";
import { bytesArbitrary, expectEveryTruncationRefused } from "../fields.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("SSH_MSG_DISCONNECT", () => {
  it("is reason, description and an empty language", () => {
    expect(encodeDisconnect(DisconnectReason.BY_APPLICATION, "bye")).toEqual(
      hex("01 0000000b 00000003 627965 00000000"),
    );
  });

  it("is read whatever the description holds, and without a language too", () => {
    expect(decodeDisconnect(hex("01 0000000b 00000002 ff41"))).toEqual({ reason: 11, description: "\ufffdA" });
    expectEveryTruncationRefused(hex("01 0000000b 00000002 4141"), decodeDisconnect, 1);
  });
});

describe("SSH_MSG_UNIMPLEMENTED", () => {
  it("carries the sequence number", () => {
    expect(encodeUnimplemented(0xffff_ffff)).toEqual(hex("03 ffffffff"));
  });
});

describe("SSH_MSG_PONG", () => {
  it("returns the data of the ping", () => {
    fc.assert(
      fc.property(bytesArbitrary, (data) => {
        const ping = new Writer().writeByte(192).writeString(data).toBuffer();
        expect(encodePongTo(ping)).toEqual(new Writer().writeByte(193).writeString(data).toBuffer());
      }),
    );
  });

  it("answers no malformed ping", () => {
    expectEveryTruncationRefused(hex("c0 00000002 6162"), encodePongTo, 1);
    expect(() => encodePongTo(hex("c0 00000001 61 00"))).toThrow(ProtocolError);
  });
});
