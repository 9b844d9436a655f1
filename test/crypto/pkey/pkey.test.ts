import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/base/configuration-error.js";
import { KeyError } from "../../../src/crypto/keys/key-error.js";
import type { HostKey } from "../../../src/crypto/pkey/host-key.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { needs } from "../../support/clients.js";
import { KEYS, keygen, temporaryDirectory } from "../keys/ssh-keygen.js";

const directory = temporaryDirectory();

describe("generate", () => {
  it.each([
    [{ keyType: "ed25519" }, "ssh-ed25519", 256],
    [{ keyType: "ecdsa" }, "ecdsa-sha2-nistp256", 256],
    [{ keyType: "ecdsa", bits: 384 }, "ecdsa-sha2-nistp384", 384],
    [{ keyType: "ecdsa", bits: 521 }, "ecdsa-sha2-nistp521", 521],
    [{ keyType: "rsa" }, "ssh-rsa", 3072],
    [{ keyType: "rsa", bits: 2048 }, "ssh-rsa", 2048],
  ] as const)("%o", (options, keyType, bits) => {
    const key: HostKey & PKey = PKey.generate(options);
    expect(key).toMatchObject({ keyType, bits, hasPrivateKey: true, comment: "" });
    expect(key.equals(PKey.generate({ keyType: "ed25519" }))).toBe(false);
  });

  it.each([
    [{ keyType: "ed25519", bits: 512 }, "bits"],
    [{ keyType: "ecdsa", bits: 255 }, "bits"],
    [{ keyType: "rsa", bits: 1024 }, "bits"],
    [{ keyType: "rsa", bits: 16385 }, "bits"],
    [{ keyType: "rsa", bits: 2048.5 }, "bits"],
    [{ keyType: "dsa" as "rsa" }, "keyType"],
  ] as const)("%o is refused", (options, option) => {
    expect(() => PKey.generate(options)).toThrow(ConfigurationError);
    expect(() => PKey.generate(options)).toThrow(expect.objectContaining({ option }));
  });
});

describe("the public half", () => {
  const key = PKey.generate({ keyType: "ecdsa" });

  it("is a key of its own, without the private half", () => {
    expect(key.publicKey).not.toBe(key);
    expect(key.publicKey).toMatchObject({ hasPrivateKey: false, keyType: key.keyType });
    expect(key.publicKey.equals(key)).toBe(true);
    expect(key.publicKey.publicKey).toBe(key.publicKey);
    expect(() => key.publicKey.toOpenSSH()).toThrow(expect.objectContaining({ code: "public-only" }));
  });

  it("is all that can be seen of a key", () => {
    const secret = PKey.generate({ keyType: "ed25519" });
    const text = secret.toOpenSSH();
    const seed = Buffer.from(text.replace(/-----.*-----/g, ""), "base64").subarray(161, 193);
    expect(text).toContain("BEGIN OPENSSH PRIVATE KEY");
    const seen = `${inspect(secret, { depth: 9, showHidden: true })}${JSON.stringify(secret)}${secret}`;
    for (const encoding of ["hex", "base64", "base64url"] as const) expect(seen).not.toContain(seed.toString(encoding));
  });
});

describe("toOpenSSH", () => {
  const key = PKey.generate({ keyType: "ed25519" });

  it.each([
    [{ passphrase: "" }, "passphrase"],
    [{ passphrase: Buffer.alloc(0) }, "passphrase"],
    [{ passphrase: "p", rounds: 15 }, "rounds"],
    [{ passphrase: "p", rounds: 1025 }, "rounds"],
    [{ passphrase: "p", rounds: Number.NaN }, "rounds"],
    [{ comment: "two\nlines" }, "comment"],
  ])("%o is refused", (options, option) => {
    expect(() => key.toOpenSSH(options)).toThrow(expect.objectContaining({ name: "ConfigurationError", option }));
  });
});

/** What came out of damaged input: a key with the same public half, or a KeyError. Everything else is a failure. */
function expectKeyOrError(read: () => PKey, original: PKey, mayBeAnother: "same key" | "any key"): void {
  let key: PKey;
  try {
    key = read();
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    expect(error.message).not.toContain("\n");
    return;
  }
  if (mayBeAnother === "same key") expect(key.equals(original)).toBe(true);
}

describe("damaged input", needs("ssh-keygen"), () => {
  const options = { passphrase: "sesame" };
  const texts = KEYS.flatMap(({ type, bits, keyType }) => [
    [`${keyType} of OpenSSH`, keygen(directory, { type, bits }).privateText],
    [`${keyType} encrypted`, keygen(directory, { type, bits, ...options }).privateText],
    [`${keyType} PKCS #8`, keygen(directory, { type, bits, format: "PKCS8" }).privateText],
    [`${keyType} PEM encrypted`, keygen(directory, { type, bits, format: "PEM", ...options }).privateText],
  ]) as [string, string][];

  it.each(texts)("%s: changed and cut texts", (_, text) => {
    const original = PKey.fromString(text, options);
    const index = fc.integer({ min: 0, max: text.length - 1 });
    fc.assert(
      fc.property(index, fc.integer({ min: 1, max: 255 }), (position, change) => {
        const bytes = Buffer.from(text);
        bytes.writeUInt8(bytes.readUInt8(position) ^ change, position);
        expectKeyOrError(() => PKey.fromString(bytes, options), original, "any key");
        expectKeyOrError(() => PKey.fromString(text.slice(0, position), options), original, "same key");
      }),
      { numRuns: 40 },
    );
  });

  it.each(texts.filter(([name]) => name.endsWith("OpenSSH")))("%s: changed bytes", (_, text) => {
    const original = PKey.fromString(text);
    const bytes = Buffer.from(text.replace(/-----.*-----/g, ""), "base64");
    const armored = (content: Buffer) =>
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${content.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (position, change) => {
          const changed = Buffer.from(bytes);
          changed.writeUInt8(changed.readUInt8(position) ^ change, position);
          // Both public halves and the private one would have to change alike for another key to come out.
          expectKeyOrError(() => PKey.fromString(armored(changed)), original, "same key");
          expectKeyOrError(() => PKey.fromString(armored(bytes.subarray(0, position))), original, "same key");
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each(texts.filter(([name]) => name.endsWith("OpenSSH")))("%s: changed and cut blobs", (_, text) => {
    const original = PKey.fromString(text);
    const blob = original.publicBlob;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: blob.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (position, change) => {
          const changed = Buffer.from(blob);
          changed.writeUInt8(changed.readUInt8(position) ^ change, position);
          expectKeyOrError(() => PKey.fromBlob(changed), original, "any key");
          expect(() => PKey.fromBlob(blob.subarray(0, position))).toThrow(KeyError);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("arbitrary bytes", () => {
    const original = PKey.generate({ keyType: "ed25519" });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expectKeyOrError(() => PKey.fromBlob(bytes), original, "same key");
        expectKeyOrError(() => PKey.fromString(bytes, options), original, "same key");
      }),
      { numRuns: 500 },
    );
  });
});
