import { createHash, createPrivateKey, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { needs } from "../../support/clients.js";
import { generateKeys } from "../../support/generated-keys.js";
import { RSA_KEY } from "../../support/rsa-key.js";
import { codeOf } from "./key-error-code.js";
import { run, temporaryDirectory } from "./ssh-keygen.js";

const directory = temporaryDirectory();
const DATA = Buffer.from("what is signed");

const keys = [
  PKey.generate({ keyType: "ed25519" }),
  PKey.generate({ keyType: "ecdsa" }),
  PKey.generate({ keyType: "ecdsa", bits: 384 }),
  PKey.generate({ keyType: "ecdsa", bits: 521 }),
  RSA_KEY,
];
const named = keys.map((key) => [key.keyType, key] as const);
const [ed25519Key, ecdsaKey, , , rsaKey] = keys as [PKey, PKey, PKey, PKey, PKey];

function signatureBlob(algorithm: string, signature: Uint8Array): Buffer {
  return new Writer().writeString(algorithm).writeString(signature).toBuffer();
}

function partsOf(blob: Buffer): { algorithm: string; signature: Buffer } {
  const fields = new Reader(blob);
  const parts = { algorithm: fields.readText(), signature: fields.readString() };
  fields.end();
  return parts;
}

describe("sign and verify", () => {
  it.each(named)("%s", (_, key) => {
    for (const algorithm of key.signatureAlgorithms) {
      const blob = key.sign(DATA, algorithm);
      expect(partsOf(blob).algorithm).toBe(algorithm);
      expect(key.publicKey.verify(DATA, blob)).toBe(true);
      expect(key.publicKey.verify(DATA, blob, algorithm)).toBe(true);
      expect(PKey.fromBlob(key.publicBlob).verify(DATA, blob)).toBe(true);
      expect(key.verify(Buffer.from("something else"), blob)).toBe(false);
    }
    expect(partsOf(key.sign(DATA)).algorithm).toBe(key.signatureAlgorithms[0]);
  });

  it("another key's signature is refused", () => {
    for (const signer of keys) {
      for (const verifier of keys) expect(verifier.verify(DATA, signer.sign(DATA))).toBe(signer === verifier);
    }
    expect(PKey.generate({ keyType: "ed25519" }).verify(DATA, ed25519Key.sign(DATA))).toBe(false);
  });

  it("RSA signs over SHA-2 and never over SHA-1", () => {
    expect(rsaKey.signatureAlgorithms).toEqual(["rsa-sha2-512", "rsa-sha2-256"]);
    expect(codeOf(() => rsaKey.sign(DATA, "ssh-rsa"))).toBe("unsupported");
    const { privateKey, publicKey } = generateKeys("rsa", { modulusLength: 2048 });
    const key = PKey.fromString(publicKey.export({ type: "spki", format: "pem" }));
    expect(key.verify(DATA, signatureBlob("rsa-sha2-256", sign("sha256", DATA, privateKey)))).toBe(true);
    expect(key.verify(DATA, signatureBlob("ssh-rsa", sign("sha1", DATA, privateKey)))).toBe(false);
    expect(key.verify(DATA, signatureBlob("rsa-sha2-256", sign("sha1", DATA, privateKey)))).toBe(false);
    expect(key.verify(DATA, signatureBlob("rsa-sha2-512", sign("sha256", DATA, privateKey)))).toBe(false);
  });

  it("one algorithm can be demanded", () => {
    const blob = rsaKey.sign(DATA, "rsa-sha2-256");
    expect(rsaKey.verify(DATA, blob)).toBe(true);
    expect(rsaKey.verify(DATA, blob, "rsa-sha2-512")).toBe(false);
    expect(rsaKey.verify(DATA, blob, "ssh-rsa")).toBe(false);
  });

  it("a public key does not sign, and no key signs with another's algorithm", () => {
    expect(codeOf(() => ed25519Key.publicKey.sign(DATA))).toBe("public-only");
    expect(codeOf(() => ed25519Key.sign(DATA, "rsa-sha2-256"))).toBe("unsupported");
    expect(codeOf(() => ecdsaKey.sign(DATA, "ecdsa-sha2-nistp384"))).toBe("unsupported");
  });
});

describe("known answers", () => {
  /** RFC 8032 §7.1, TEST 2 and TEST 3. */
  it.each([
    {
      publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      message: "72",
      signature:
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
      seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    },
    {
      publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      message: "af82",
      signature:
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
      seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    },
  ])("Ed25519, public key $publicKey", ({ publicKey, message, signature, seed }) => {
    const blob = new Writer().writeString("ssh-ed25519").writeString(Buffer.from(publicKey, "hex")).toBuffer();
    const expected = signatureBlob("ssh-ed25519", Buffer.from(signature, "hex"));
    expect(PKey.fromBlob(blob).verify(Buffer.from(message, "hex"), expected)).toBe(true);
    const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(seed, "hex")]);
    const pem = createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ type: "pkcs8", format: "pem" });
    expect(PKey.fromString(pem).publicBlob).toEqual(blob);
    expect(PKey.fromString(pem).sign(Buffer.from(message, "hex"))).toEqual(expected);
  });
});

describe("signatures and ssh-keygen -Y", needs("ssh-keygen"), () => {
  const MAGIC = Buffer.from("SSHSIG", "latin1");

  /** What is signed (OpenSSH's PROTOCOL.sshsig). */
  function signedData(message: Buffer, hash: string): Buffer {
    const digest = createHash(hash).update(message).digest();
    return new Writer()
      .writeBytes(MAGIC)
      .writeString("test")
      .writeString("")
      .writeString(hash)
      .writeString(digest)
      .toBuffer();
  }

  it.each(named)("%s: its signature is one for us", (name, key) => {
    const path = join(directory, `signer-${name}`);
    writeFileSync(path, key.toOpenSSH(), { mode: 0o600 });
    writeFileSync(`${path}.data`, DATA);
    run("ssh-keygen", ["-Y", "sign", "-f", path, "-n", "test", `${path}.data`]);
    const armored = readFileSync(`${path}.data.sig`, "utf8");
    const fields = new Reader(Buffer.from(armored.replace(/-----.*-----/g, ""), "base64"), MAGIC.length);
    expect(fields.readUint32()).toBe(1);
    const signer = PKey.fromBlob(fields.readString());
    expect(signer.equals(key)).toBe(true);
    fields.readString();
    fields.readString();
    const hash = fields.readText();
    expect(signer.verify(signedData(DATA, hash), fields.readString())).toBe(true);
  });

  it.each(named)("%s: our signature is one for it", (name, key) => {
    const path = join(directory, `verifier-${name}`);
    writeFileSync(`${path}.allowed`, `me ${key.toPublicString()}\n`);
    for (const algorithm of key.signatureAlgorithms) {
      const signature = new Writer()
        .writeBytes(MAGIC)
        .writeUint32(1)
        .writeString(key.publicBlob)
        .writeString("test")
        .writeString("")
        .writeString("sha512")
        .writeString(key.sign(signedData(DATA, "sha512"), algorithm))
        .toBuffer();
      const armored = `-----BEGIN SSH SIGNATURE-----\n${signature.toString("base64")}\n-----END SSH SIGNATURE-----\n`;
      writeFileSync(`${path}.sig`, armored);
      const verify = ["-Y", "verify", "-f", `${path}.allowed`, "-I", "me", "-n", "test", "-s", `${path}.sig`];
      expect(run("ssh-keygen", verify, DATA)).toContain('Good "test" signature');
      expect(() => run("ssh-keygen", verify, Buffer.from("other data"))).toThrow();
    }
  });
});

describe("hostile signatures", () => {
  const valid = partsOf(ecdsaKey.sign(DATA)).signature;
  const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");

  it("ECDSA: r and s out of range, too long, not shortest, with bytes behind", () => {
    const name = "ecdsa-sha2-nistp256";
    const reader = new Reader(valid);
    const [r, s] = [reader.readMpint(), reader.readMpint()];
    const pair = (first: Uint8Array, second: Uint8Array) =>
      signatureBlob(name, new Writer().writeMpint(first).writeMpint(second).toBuffer());
    expect(ecdsaKey.verify(DATA, pair(r, s))).toBe(true);
    const zero = Buffer.alloc(0);
    const long = Buffer.alloc(33, 0xff);
    for (const blob of [
      pair(zero, s),
      pair(r, zero),
      pair(zero, zero),
      pair(order, s),
      pair(r, order),
      pair(long, s),
      pair(r, Buffer.alloc(100_000, 1)),
      pair(s, r),
      signatureBlob(name, Buffer.concat([valid, Buffer.of(0)])),
      signatureBlob(
        name,
        new Writer()
          .writeString(Buffer.concat([Buffer.alloc(2), r]))
          .writeMpint(s)
          .toBuffer(),
      ),
    ]) {
      expect(ecdsaKey.verify(DATA, blob)).toBe(false);
    }
  });

  it("RSA: a short one is filled up as OpenSSH does, a long one is refused", () => {
    let data = DATA;
    let signature = partsOf(rsaKey.sign(data, "rsa-sha2-256")).signature;
    for (let count = 0; signature[0] !== 0; count++) {
      data = Buffer.from(`attempt ${count}`);
      signature = partsOf(rsaKey.sign(data, "rsa-sha2-256")).signature;
    }
    expect(rsaKey.verify(data, signatureBlob("rsa-sha2-256", signature))).toBe(true);
    expect(rsaKey.verify(data, signatureBlob("rsa-sha2-256", signature.subarray(1)))).toBe(true);
    const long = Buffer.concat([Buffer.of(0), signature]);
    expect(rsaKey.verify(data, signatureBlob("rsa-sha2-256", long))).toBe(false);
    expect(rsaKey.verify(data, signatureBlob("rsa-sha2-256", Buffer.alloc(0)))).toBe(false);
    expect(rsaKey.verify(data, signatureBlob("rsa-sha2-256", Buffer.alloc(256, 0xff)))).toBe(false);
  });

  it("Ed25519: S not below the group's order, and other lengths", () => {
    const signature = Buffer.from(partsOf(ed25519Key.sign(DATA)).signature);
    expect(ed25519Key.verify(DATA, signatureBlob("ssh-ed25519", signature.subarray(1)))).toBe(false);
    expect(ed25519Key.verify(DATA, signatureBlob("ssh-ed25519", Buffer.alloc(0)))).toBe(false);
    const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;
    const scalar = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`);
    const malleated = Buffer.from((scalar + groupOrder).toString(16).padStart(64, "0"), "hex").reverse();
    const second = Buffer.concat([signature.subarray(0, 32), malleated]);
    expect(ed25519Key.verify(DATA, signatureBlob("ssh-ed25519", second))).toBe(false);
  });

  it("RSA keys that nobody generated", () => {
    const modulus = fc.uint8Array({ minLength: 254, maxLength: 510 }).map((bytes) => Buffer.of(0xff, ...bytes, 0xff));
    const exponent = fc.uint8Array({ maxLength: 2 }).map((bytes) => Buffer.of(3, ...bytes, 5));
    fc.assert(
      fc.property(modulus, exponent, fc.uint8Array({ maxLength: 512 }), (n, e, signature) => {
        const key = PKey.fromBlob(new Writer().writeString("ssh-rsa").writeMpint(e).writeMpint(n).toBuffer());
        expect(key.verify(DATA, signatureBlob("rsa-sha2-256", signature))).toBe(false);
        expect(key.verify(DATA, signatureBlob("rsa-sha2-512", n))).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it.each(named)("%s: arbitrary bytes", (_, key) => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.constantFrom(...key.signatureAlgorithms, "ssh-rsa", ""), fc.uint8Array({ maxLength: 600 }))
        .map(([algorithm, bytes]) => signatureBlob(algorithm, bytes)),
    );
    fc.assert(
      fc.property(anything, (blob) => {
        expect(key.verify(DATA, blob)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it.each(named)("%s: every changed byte and every truncation", (_, key) => {
    const blob = key.sign(DATA);
    const position = fc.integer({ min: 0, max: blob.length - 1 });
    fc.assert(
      fc.property(position, fc.integer({ min: 1, max: 255 }), (index, change) => {
        const changed = Buffer.from(blob);
        changed.writeUInt8(changed.readUInt8(index) ^ change, index);
        expect(key.verify(DATA, changed)).toBe(false);
        expect(key.verify(DATA, blob.subarray(0, index))).toBe(false);
      }),
      { numRuns: 150 },
    );
  });
});
