import { createECDH, ECDH } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  curve25519Sha256,
  ecdhSha2Nistp256,
  ecdhSha2Nistp384,
  ecdhSha2Nistp521,
} from "../../../src/crypto/kex/ecdh.js";
import { REFUSED, refusalOf, runExchange } from "../../support/exchange.js";
import { initPayload, startClient } from "../../support/kex-client.js";

describe("curve25519-sha256", () => {
  it.each([0, 31, 33, 64])("refuses a public value of %i bytes", (length) => {
    expect(refusalOf(curve25519Sha256.startServer(), initPayload(Buffer.alloc(length, 9)))).toBe(REFUSED);
  });

  it("encodes K as an mpint", () => {
    const leading = new Set<number>();
    for (let i = 0; i < 300; i++) {
      const { server } = runExchange(curve25519Sha256, startClient("curve25519-sha256"));
      const length = server.sharedSecret.readUInt32BE(0);
      expect(server.sharedSecret).toHaveLength(4 + length);
      // A zero in front stands exactly before a set high bit.
      const first = server.sharedSecret.readUInt8(4);
      const second = server.sharedSecret.readUInt8(5);
      expect(first < 0x80 && (first !== 0 || second >= 0x80)).toBe(true);
      leading.add(length);
    }
    expect(leading).toContain(32);
    expect(leading).toContain(33);
  });
});

describe.each([
  { algorithm: ecdhSha2Nistp256, curve: "prime256v1", size: 32 },
  { algorithm: ecdhSha2Nistp384, curve: "secp384r1", size: 48 },
  { algorithm: ecdhSha2Nistp521, curve: "secp521r1", size: 66 },
])("$algorithm.name", ({ algorithm, curve, size }) => {
  const refusal = (point: Buffer) => refusalOf(algorithm.startServer(), initPayload(point));
  const point = createECDH(curve).generateKeys();

  it("takes an uncompressed point", () => {
    expect(refusal(point)).toBeUndefined();
  });

  it("refuses the same point compressed or in hybrid form", () => {
    for (const form of ["compressed", "hybrid"] as const) {
      const encoded = ECDH.convertKey(point, curve, undefined, undefined, form);
      if (!Buffer.isBuffer(encoded)) throw new Error("not bytes");
      expect(refusal(encoded), form).toBe(REFUSED);
    }
  });

  it("refuses the point at infinity in every length", () => {
    expect(refusal(Buffer.alloc(1))).toBe(REFUSED);
    expect(refusal(Buffer.alloc(1 + 2 * size))).toBe(REFUSED);
    expect(refusal(Buffer.concat([Buffer.of(4), Buffer.alloc(2 * size)]))).toBe(REFUSED);
  });

  it("refuses a point beside the curve", () => {
    const off = Buffer.from(point);
    off.writeUInt8(off.readUInt8(2 * size) ^ 1, 2 * size);
    expect(refusal(off)).toBe(REFUSED);
  });

  it("refuses coordinates that are not below the field's prime", () => {
    expect(refusal(Buffer.concat([Buffer.of(4), Buffer.alloc(2 * size, 0xff)]))).toBe(REFUSED);
  });

  it("refuses another curve's point", () => {
    for (const other of ["prime256v1", "secp384r1", "secp521r1", "secp256k1"].filter((name) => name !== curve)) {
      expect(refusal(createECDH(other).generateKeys()), other).toBe(REFUSED);
    }
  });

  it("refuses other lengths", () => {
    expect(refusal(Buffer.alloc(0))).toBe(REFUSED);
    expect(refusal(point.subarray(0, -1))).toBe(REFUSED);
    expect(refusal(Buffer.concat([point, Buffer.alloc(1)]))).toBe(REFUSED);
  });
});
