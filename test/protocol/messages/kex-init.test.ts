import { describe, expect, it } from "vitest";
import { decodeKexInit, encodeKexInit, type KexInit } from "../../../src/protocol/messages/kex-init.js";
import { Writer } from "../../../src/protocol/writer.js";

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
});
