import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DisconnectReason } from "../../../src/protocol/constants.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import {
  decodeDisconnect,
  decodeExtInfo,
  decodeServiceRequest,
  encodeDisconnect,
  encodeExtInfo,
  encodePongTo,
  encodeServiceAccept,
  encodeUnimplemented,
} from "../../../src/protocol/messages/transport.js";
import { Writer } from "../../../src/protocol/writer.js";
import { bytesArbitrary, expectEveryTruncationRefused, nameArbitrary, textArbitrary } from "../fields.js";

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

describe("SSH_MSG_SERVICE_REQUEST and ACCEPT", () => {
  it("hold the service name", () => {
    expect(decodeServiceRequest(hex("05 00000004 73736821"))).toBe("ssh!");
    expect(encodeServiceAccept("ssh!")).toEqual(hex("06 00000004 73736821"));
    expectEveryTruncationRefused(hex("05 00000004 73736821"), decodeServiceRequest, 1);
  });

  it("has nothing behind it", () => {
    expect(() => decodeServiceRequest(hex("05 00000001 73 00"))).toThrow(ProtocolError);
  });
});

describe("SSH_MSG_EXT_INFO", () => {
  it("is written and read (RFC 8308 §2.3)", () => {
    expect(encodeExtInfo(new Map([["a", "bc"]]))).toEqual(hex("07 00000001 00000001 61 00000002 6263"));
    fc.assert(
      fc.property(fc.array(fc.tuple(nameArbitrary, textArbitrary), { maxLength: 5 }), (entries) => {
        const extensions = new Map(entries);
        const read = decodeExtInfo(encodeExtInfo(extensions));
        expect([...read.keys()]).toEqual([...extensions.keys()]);
        for (const [name, value] of extensions) expect(read.get(name)).toEqual(Buffer.from(value));
      }),
    );
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

  it("refuses every truncation", () => {
    const extensions = new Map([
      ["server-sig-algs", "ssh-ed25519"],
      ["ping@openssh.com", "0"],
    ]);
    expectEveryTruncationRefused(encodeExtInfo(extensions), decodeExtInfo, 1);
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
