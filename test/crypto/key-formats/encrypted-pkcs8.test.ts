import { describe, expect, it } from "vitest";
import { checkEncryptionCost } from "../../../src/crypto/key-formats/encrypted-pkcs8.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { codeOf } from "../keys/key-error-code.js";

const SEQUENCE = 0x30;

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const length = Buffer.from([0x82, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([Buffer.of(tag), content.length < 0x80 ? Buffer.of(content.length) : length, content]);
}

function integer(value: number): Buffer {
  const hex = value.toString(16);
  return der(2, Buffer.from(`00${hex.padStart(hex.length + (hex.length % 2), "0")}`, "hex"));
}

const identifier = (hex: string) => der(6, Buffer.from(hex, "hex"));
const salt = der(4, Buffer.alloc(8));
const cipher = der(SEQUENCE, identifier("60864801650304012a"), der(4, Buffer.alloc(16)));
const sha256 = der(SEQUENCE, identifier("2a864886f70d0209"), der(5));

/** An EncryptedPrivateKeyInfo under PBES2 (RFC 8018 §6.2). */
function encryptedKey(kdf: string, ...parameters: Buffer[]): Buffer {
  const derivation = der(SEQUENCE, identifier(kdf), der(SEQUENCE, salt, ...parameters));
  const algorithm = der(SEQUENCE, identifier("2a864886f70d01050d"), der(SEQUENCE, derivation, cipher));
  return der(SEQUENCE, algorithm, der(4, Buffer.alloc(64)));
}

const pbkdf2 = (iterations: number) => encryptedKey("2a864886f70d01050c", integer(iterations), integer(32), sha256);
const scrypt = (n: number, r: number, p: number) =>
  encryptedKey("2b06010401da47040b", integer(n), integer(r), integer(p));
const check = (key: Buffer) => codeOf(() => checkEncryptionCost(key.toString("base64")));

describe("checkEncryptionCost", () => {
  it("lets a million iterations pass, and no hours of work", () => {
    expect(check(pbkdf2(1_000_000))).toBeUndefined();
    expect(check(pbkdf2(2 ** 21))).toBeUndefined();
    expect(check(pbkdf2(2 ** 21 + 1))).toBe("unsupported");
    expect(check(pbkdf2(2 ** 31 - 1))).toBe("unsupported");
    expect(check(scrypt(16384, 8, 1))).toBeUndefined();
    expect(check(scrypt(131072, 1, 131072))).toBe("unsupported");
    expect(check(encryptedKey("2a864886f70d01050c", der(2, Buffer.alloc(300, 0x7f))))).toBe("unsupported");
  });

  it("comes before the passphrase is asked for", () => {
    const base64 = pbkdf2(2 ** 31 - 1).toString("base64");
    const text = `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${base64}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
    expect(codeOf(() => PKey.fromString(text))).toBe("unsupported");
    expect(codeOf(() => PKey.fromString(text, { passphrase: "p" }))).toBe("unsupported");
  });

  it("refuses what it cannot read", () => {
    const valid = pbkdf2(2048);
    const algorithmLength = valid.readUInt8(3) + 4;
    for (let length = 0; length < algorithmLength; length++) {
      expect(check(valid.subarray(0, length)), `${length} bytes`).toBe("malformed");
    }
    let nested = der(5);
    for (let depth = 0; depth < 20; depth++) nested = der(SEQUENCE, nested);
    expect(check(nested)).toBe("malformed");
    expect(check(Buffer.from("3080308002010100000000", "hex"))).toBe("malformed");
    expect(check(Buffer.from("3084ffffffff", "hex"))).toBe("malformed");
    expect(codeOf(() => checkEncryptionCost("not base64"))).toBe("malformed");
  });
});
