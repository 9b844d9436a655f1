import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { decodeKexInit, encodeKexInit, type KexInit } from "../../../src/protocol/messages/kex-init.js";
import { Writer } from "../../../src/protocol/writer.js";
import { expectEveryTruncationRefused, nameArbitrary } from "../fields.js";

const cookie = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
const example: KexInit = {
  kex: ["k1", "k2"],
  hostKey: ["h"],
  cipherClientToServer: ["c1"],
  cipherServerToClient: ["c2"],
  macClientToServer: ["m1"],
  macServerToClient: ["m2"],
  compressionClientToServer: ["z1"],
  compressionServerToClient: ["z2"],
  firstKexPacketFollows: true,
};

describe("SSH_MSG_KEXINIT", () => {
  it("has its lists in the order of RFC 4253 §7.1", () => {
    const lists = ["k1,k2", "h", "c1", "c2", "m1", "m2", "z1", "z2", "", ""];
    const writer = new Writer().writeByte(20).writeBytes(cookie);
    for (const list of lists) writer.writeString(list);
    expect(encodeKexInit(example, cookie)).toEqual(writer.writeByte(1).writeUint32(0).toBuffer());
  });

  it("is read back as it was written", () => {
    const names = fc.array(nameArbitrary, { maxLength: 4 });
    const arbitrary = fc.record({
      kex: names,
      hostKey: names,
      cipherClientToServer: names,
      cipherServerToClient: names,
      macClientToServer: names,
      macServerToClient: names,
      compressionClientToServer: names,
      compressionServerToClient: names,
      firstKexPacketFollows: fc.boolean(),
    });
    fc.assert(
      fc.property(arbitrary, (kexInit) => {
        expect(decodeKexInit(encodeKexInit(kexInit, cookie))).toEqual(kexInit);
      }),
    );
  });

  it("may hold languages and a reserved number, which are ignored", () => {
    const payload = encodeKexInit(example, cookie);
    const beforeLanguages = payload.subarray(0, payload.length - 13);
    const changed = new Writer()
      .writeBytes(beforeLanguages)
      .writeString("de-DE,en")
      .writeString("i-klingon")
      .writeByte(0)
      .writeUint32(7)
      .toBuffer();
    expect(decodeKexInit(changed)).toEqual({ ...example, firstKexPacketFollows: false });
  });

  it("is refused when it is cut short anywhere, or longer", () => {
    const payload = encodeKexInit(example, cookie);
    expectEveryTruncationRefused(payload, decodeKexInit, 1);
    expect(() => decodeKexInit(Buffer.concat([payload, Buffer.of(0)]))).toThrow(ProtocolError);
  });
});
