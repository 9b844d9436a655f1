import { describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { Writer } from "../../../src/protocol/writer.js";
import { generateKeys } from "../../support/generated-keys.js";
import { codeOf } from "./key-error-code.js";

const rsaJwk = generateKeys("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
const modulus = Buffer.from(rsaJwk.n ?? "", "base64url");
const ecJwk = generateKeys("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
const [x, y] = [Buffer.from(ecJwk.x ?? "", "base64url"), Buffer.from(ecJwk.y ?? "", "base64url")];

function rsaBlob(e: Uint8Array, n: Uint8Array): Buffer {
  return new Writer().writeString("ssh-rsa").writeMpint(e).writeMpint(n).toBuffer();
}

function ecdsaBlob(point: Uint8Array, curve = "nistp256", type = "ecdsa-sha2-nistp256"): Buffer {
  return new Writer().writeString(type).writeString(curve).writeString(point).toBuffer();
}

function ed25519Blob(point: Uint8Array): Buffer {
  return new Writer().writeString("ssh-ed25519").writeString(point).toBuffer();
}

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}

const refusal = (blob: Buffer) => codeOf(() => PKey.fromBlob(blob));

describe("fromBlob", () => {
  it("takes a copy", () => {
    const blob = Buffer.from(PKey.generate({ keyType: "ed25519" }).publicBlob);
    const key = PKey.fromBlob(blob);
    const fingerprint = key.fingerprint();
    blob.fill(0);
    expect(key.fingerprint()).toBe(fingerprint);
  });

  it("takes the whole blob or nothing", () => {
    for (const key of [PKey.generate({ keyType: "ed25519" }), PKey.generate({ keyType: "ecdsa" })]) {
      expect(PKey.fromBlob(key.publicBlob).equals(key)).toBe(true);
      expect(refusal(Buffer.concat([key.publicBlob, Buffer.of(0)]))).toBe("malformed");
      expect(refusal(key.publicBlob.subarray(0, -1))).toBe("malformed");
    }
    expect(refusal(Buffer.alloc(0))).toBe("malformed");
  });

  it("names an unknown type without repeating control characters", () => {
    const blob = new Writer().writeString("ssh-\u001b[2J\nnew").toBuffer();
    expect(() => PKey.fromBlob(blob)).toThrow("keys of type ssh-?[2J?new are not supported");
    expect(refusal(new Writer().writeString("ssh-dss-cert-v01@openssh.com").toBuffer())).toBe("unsupported");
  });
});

describe("RSA", () => {
  const exponent = Buffer.from("010001", "hex");

  it("in range", () => {
    expect(PKey.fromBlob(rsaBlob(exponent, modulus)).bits).toBe(2048);
    expect(PKey.fromBlob(rsaBlob(Buffer.of(3), modulus)).bits).toBe(2048);
    const largest = Buffer.alloc(2048, 0xff);
    expect(PKey.fromBlob(rsaBlob(exponent, largest)).bits).toBe(16384);
  });

  it("the modulus has 2048 to 16384 bits and is odd", () => {
    const short = Buffer.from(modulus);
    short.writeUInt8(0x7f, 0);
    expect(refusal(rsaBlob(exponent, short))).toBe("weak");
    expect(refusal(rsaBlob(exponent, Buffer.alloc(0)))).toBe("weak");
    expect(refusal(rsaBlob(exponent, Buffer.concat([Buffer.of(1), Buffer.alloc(2048, 0xff)])))).toBe("unsupported");
    const even = Buffer.from(modulus);
    even.writeUInt8(even.readUInt8(255) & 0xfe, 255);
    expect(refusal(rsaBlob(exponent, even))).toBe("malformed");
  });

  it("the exponent is odd, at least 3 and at most 32 bits long", () => {
    for (const invalid of [[], [1], [2], [4], [1, 0, 0]]) {
      expect(refusal(rsaBlob(Buffer.from(invalid), modulus))).toBe("malformed");
    }
    expect(refusal(rsaBlob(Buffer.alloc(4, 0xff), modulus))).toBeUndefined();
    expect(refusal(rsaBlob(Buffer.alloc(5, 0xff), modulus))).toBe("unsupported");
  });

  it("the numbers are positive and in their shortest form", () => {
    const blob = (e: Buffer) => new Writer().writeString("ssh-rsa").writeString(e).writeMpint(modulus).toBuffer();
    expect(refusal(blob(exponent))).toBeUndefined();
    expect(refusal(blob(Buffer.concat([Buffer.of(0), exponent])))).toBe("malformed");
    expect(refusal(blob(Buffer.of(0xff)))).toBe("malformed");
  });
});

describe("ECDSA", () => {
  const point = Buffer.concat([Buffer.of(4), x, y]);

  it("the point is uncompressed, of the right length and on the curve", () => {
    expect(refusal(ecdsaBlob(point))).toBeUndefined();
    const compressed = Buffer.concat([Buffer.of(2 + ((y.at(-1) ?? 0) & 1)), x]);
    const offCurve = Buffer.from(point);
    offCurve.writeUInt8(offCurve.readUInt8(64) ^ 1, 64);
    const hybrid = Buffer.from(point);
    hybrid.writeUInt8(6 + ((y.at(-1) ?? 0) & 1), 0);
    for (const invalid of [
      compressed,
      offCurve,
      hybrid,
      Buffer.of(0),
      Buffer.concat([Buffer.of(4), Buffer.alloc(64)]),
      Buffer.alloc(65, 0xff).fill(4, 0, 1),
      point.subarray(0, 64),
      Buffer.concat([point, Buffer.of(0)]),
    ]) {
      expect(refusal(ecdsaBlob(invalid)), invalid.toString("hex")).toBe("malformed");
    }
  });

  it("a coordinate is below the field's prime", () => {
    // x = 5 is on P-256; x = 5 + p is the same point, written in a second way.
    const prime = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
    const five = Buffer.from(5n.toString(16).padStart(64, "0"), "hex");
    const fiveAgain = Buffer.from((5n + prime).toString(16).padStart(64, "0"), "hex");
    const yOfFive = Buffer.from("459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc", "hex");
    expect(refusal(ecdsaBlob(Buffer.concat([Buffer.of(4), five, yOfFive])))).toBeUndefined();
    expect(refusal(ecdsaBlob(Buffer.concat([Buffer.of(4), fiveAgain, yOfFive])))).toBe("malformed");
  });

  it("the curve is the one of the type", () => {
    expect(refusal(ecdsaBlob(point, "nistp384"))).toBe("malformed");
    expect(refusal(ecdsaBlob(point, "nistp256", "ecdsa-sha2-nistp384"))).toBe("malformed");
    expect(refusal(ecdsaBlob(point, "nistp256", "ecdsa-sha2-nistp224"))).toBe("unsupported");
  });
});

describe("Ed25519", () => {
  const prime = 2n ** 255n - 19n;

  it("the point has 32 bytes", () => {
    const { publicBlob } = PKey.generate({ keyType: "ed25519" });
    const point = publicBlob.subarray(-32);
    expect(refusal(ed25519Blob(point))).toBeUndefined();
    expect(refusal(ed25519Blob(point.subarray(1)))).toBe("malformed");
    expect(refusal(ed25519Blob(Buffer.concat([point, Buffer.of(0)])))).toBe("malformed");
  });

  it("the base point is taken, with either sign of x", () => {
    const base = Buffer.alloc(32, 0x66).fill(0x58, 0, 1);
    expect(refusal(ed25519Blob(base))).toBeUndefined();
    base.writeUInt8(0xe6, 31);
    expect(refusal(ed25519Blob(base))).toBeUndefined();
  });

  it("points of small order, off the curve or not in canonical form are refused", () => {
    const order8 = Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex");
    const invalid = [
      littleEndian(0n),
      littleEndian(1n),
      littleEndian(1n + 2n ** 255n),
      littleEndian(prime - 1n),
      order8,
      Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex"),
      // y = 2 has no x; y = p + 3 would be 3 again.
      littleEndian(2n),
      littleEndian(prime + 3n),
      Buffer.alloc(32, 0xff),
    ];
    for (const point of invalid) expect(refusal(ed25519Blob(point)), point.toString("hex")).toBe("malformed");
    expect(refusal(ed25519Blob(littleEndian(3n)))).toBeUndefined();
  });
});
