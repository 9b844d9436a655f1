import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { describe, expect, it } from "vitest";
import { agreeX25519, offerX25519 } from "../../../src/crypto/kex/x25519.js";
import { ProtocolError } from "../../../src/protocol/errors.js";

/** All encodings of points whose order divides 8, on the curve and on its twist, non-canonical ones included. */
const SMALL_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

describe("agreeX25519", () => {
  it.each(SMALL_ORDER)("refuses the point %s with either high bit", (hex) => {
    const point = Buffer.from(hex, "hex");
    expect(() => agreeX25519(point)).toThrow(ProtocolError);
    point.writeUInt8(point.readUInt8(31) | 0x80, 31);
    expect(() => agreeX25519(point)).toThrow(ProtocolError);
    expect(() => offerX25519().agree(point)).toThrow(ProtocolError);
  });

  it("agrees with Bob of RFC 7748 §6.1", () => {
    const bob = createPrivateKey({
      key: Buffer.from(
        "302e020100300506032b656e042204205dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        "hex",
      ),
      format: "der",
      type: "pkcs8",
    });
    const bobPublic = Buffer.from("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", "hex");
    const secretOfBob = (publicValue: Buffer) => {
      const key = { kty: "OKP", crv: "X25519", x: publicValue.toString("base64url") };
      return diffieHellman({ privateKey: bob, publicKey: createPublicKey({ key, format: "jwk" }) });
    };
    const { publicValue, sharedSecret } = agreeX25519(bobPublic);
    expect(secretOfBob(publicValue)).toEqual(sharedSecret);
    const offer = offerX25519();
    expect(secretOfBob(offer.publicValue)).toEqual(offer.agree(bobPublic));
  });

  it("reads the value as RFC 7748 §5 says: the highest bit is ignored", () => {
    const point = Buffer.alloc(32);
    point.writeUInt8(9, 0);
    point.writeUInt8(0x80, 31);
    expect(agreeX25519(point).sharedSecret).toHaveLength(32);
  });
});
