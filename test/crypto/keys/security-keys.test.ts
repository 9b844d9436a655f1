import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { needs } from "../../support/clients.js";
import { SoftwareSecurityKey, USER_PRESENT, USER_VERIFIED } from "../../support/security-key.js";
import { codeOf } from "./key-error-code.js";
import { listedFingerprint, run, temporaryDirectory } from "./ssh-keygen.js";

const directory = temporaryDirectory();
const DATA = Buffer.from("what is signed");
const TYPES = ["ed25519", "ecdsa"] as const;
const NAMES = { ed25519: "sk-ssh-ed25519@openssh.com", ecdsa: "sk-ecdsa-sha2-nistp256@openssh.com" } as const;
const PLAIN = { ed25519: "ssh-ed25519", ecdsa: "ecdsa-sha2-nistp256" } as const;

/** The key of `securityKey` with the blob of another type around the same point. */
function retyped(securityKey: SoftwareSecurityKey, name: string, application?: string): PKey {
  const fields = new Reader(securityKey.key.publicBlob);
  fields.readString();
  const rest = fields.readRest();
  const point = rest.subarray(0, rest.length - 4 - securityKey.application.length);
  const blob = new Writer().writeString(name).writeBytes(point);
  return PKey.fromBlob((application === undefined ? blob : blob.writeString(application)).toBuffer());
}

describe.each(TYPES)("a security key of type %s", (type) => {
  const securityKey = new SoftwareSecurityKey(type);
  const { key } = securityKey;

  it("is read as ssh-keygen reads it", needs("ssh-keygen"), () => {
    const path = join(directory, `${type}.pub`);
    const line = key.toPublicString({ comment: "a token" });
    writeFileSync(path, `${line}\n`);
    expect(key.fingerprint()).toBe(listedFingerprint(path));
    const again = PKey.fromString(line);
    expect(again).toMatchObject({ keyType: NAMES[type], bits: 256, application: "ssh:", comment: "a token" });
    expect(again).toMatchObject({ hasPrivateKey: false, certificate: undefined, signatureAlgorithms: [NAMES[type]] });
    expect(again.equals(key)).toBe(true);
    expect(again.publicKey).toBe(again);
    expect(PKey.fromString(run("ssh-keygen", ["-e", "-f", path])).equals(key)).toBe(true);
  });

  it("tells what the authenticator says", () => {
    for (const [flags, userPresent, userVerified] of [
      [USER_PRESENT, true, false],
      [USER_PRESENT | USER_VERIFIED, true, true],
      [USER_VERIFIED, false, true],
      [0, false, false],
      [0xff, true, true],
      [0xff - USER_PRESENT, false, true],
    ] as const) {
      for (const counter of [0, 1, 2 ** 32 - 1]) {
        const signature = securityKey.sign(DATA, { flags, counter });
        expect(key.verifySignature(DATA, signature)).toEqual({
          algorithm: NAMES[type],
          securityKey: { counter, userPresent, userVerified },
        });
        expect(key.verify(DATA, signature)).toBe(userPresent);
        expect(key.verify(DATA, signature, NAMES[type])).toBe(userPresent);
        expect(key.verifySignature(DATA, signature, PLAIN[type])).toBeUndefined();
      }
    }
  });

  it("signs for its application, its data and its own flags and counter", () => {
    const signature = securityKey.sign(DATA);
    expect(key.verifySignature(Buffer.from("something else"), signature)).toBeUndefined();
    expect(key.verifySignature(DATA, securityKey.sign(DATA, { application: "ssh:other" }))).toBeUndefined();
    expect(key.verifySignature(DATA, securityKey.sign(DATA, { application: "" }))).toBeUndefined();
    expect(retyped(securityKey, NAMES[type], "ssh:other").verifySignature(DATA, signature)).toBeUndefined();
    const raised = Buffer.from(securityKey.sign(DATA, { flags: 0 }));
    raised.writeUInt8(USER_PRESENT, raised.length - 5);
    expect(key.verifySignature(DATA, raised)).toBeUndefined();
    expect(new SoftwareSecurityKey(type).key.verifySignature(DATA, signature)).toBeUndefined();
  });

  it("cannot be taken for a plain key, nor a plain key for it", () => {
    const plain = retyped(securityKey, PLAIN[type]);
    for (const algorithm of [NAMES[type], PLAIN[type]]) {
      const signature = securityKey.sign(DATA, { algorithm });
      expect(plain.verify(DATA, signature)).toBe(false);
      expect(key.verify(DATA, securityKey.signPlain(DATA, algorithm))).toBe(false);
      expect(plain.verify(DATA, securityKey.signPlain(DATA, algorithm))).toBe(algorithm === PLAIN[type]);
    }
    expect(key.verify(DATA, securityKey.sign(DATA, { algorithm: PLAIN[type] }))).toBe(false);
    expect(key.equals(plain)).toBe(false);
    expect(key.fingerprint()).not.toBe(plain.fingerprint());
  });

  it("is not one with any byte changed, missing or added", () => {
    const signature = securityKey.sign(DATA);
    for (let index = 0; index < signature.length; index++) {
      const changed = Buffer.from(signature);
      changed.writeUInt8(changed.readUInt8(index) ^ (1 << (index % 8)), index);
      expect(key.verifySignature(DATA, changed), `byte ${index}`).toBeUndefined();
      expect(key.verifySignature(DATA, signature.subarray(0, index)), `${index} bytes`).toBeUndefined();
    }
    expect(key.verifySignature(DATA, Buffer.concat([signature, Buffer.of(0)]))).toBeUndefined();
  });

  it("of arbitrary bytes is refused", () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const named = bytes.map((rest) => Buffer.concat([new Writer().writeString(NAMES[type]).toBuffer(), rest]));
    const framed = fc
      .tuple(bytes, bytes)
      .map(([inner, rest]) => new Writer().writeString(NAMES[type]).writeString(inner).writeBytes(rest).toBuffer());
    fc.assert(
      fc.property(fc.oneof(bytes, named, framed), (signature) => {
        expect(key.verifySignature(DATA, signature)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it("has a well-formed blob, whole", () => {
    const blob = key.publicBlob;
    for (let length = 0; length < blob.length; length++) {
      expect(
        codeOf(() => PKey.fromBlob(blob.subarray(0, length))),
        `${length} bytes`,
      ).toMatch(/malformed|unsupported/);
    }
    expect(codeOf(() => PKey.fromBlob(Buffer.concat([blob, Buffer.of(0)])))).toBe("malformed");
    expect(codeOf(() => retyped(securityKey, NAMES[type]))).toBe("malformed");
    expect(codeOf(() => retyped(securityKey, NAMES[type], "ssh:\0x"))).toBe("malformed");
    expect(retyped(securityKey, NAMES[type], "ssh:Zoë").application).toBe("ssh:Zoë");
  });

  it("does not sign here and has no private half to write", () => {
    expect(codeOf(() => key.sign(DATA))).toBe("public-only");
    expect(codeOf(() => key.toOpenSSH())).toBe("public-only");
  });

  it("its private file is refused with advice", () => {
    const text = (cipher: string) => {
      const kdf = cipher === "none" ? "none" : "bcrypt";
      const file = new Writer()
        .writeBytes(Buffer.from("openssh-key-v1\0"))
        .writeString(cipher)
        .writeString(kdf)
        .writeString(cipher === "none" ? "" : new Writer().writeString("salt").writeUint32(1).toBuffer())
        .writeUint32(1)
        .writeString(key.publicBlob)
        .writeString(Buffer.alloc(160));
      const base64 = file.toBuffer().toString("base64");
      return `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64}\n-----END OPENSSH PRIVATE KEY-----\n`;
    };
    for (const cipher of ["none", "aes256-ctr"]) {
      expect(codeOf(() => PKey.fromString(text(cipher)))).toBe("unsupported");
      expect(() => PKey.fromString(text(cipher))).toThrow("use the public key, the .pub file");
    }
  });
});

describe("signatures of security keys and ssh-keygen -Y", needs("ssh-keygen", "openssl"), () => {
  const MAGIC = Buffer.from("SSHSIG", "latin1");

  it.each(TYPES)("%s: what the tests sign with is a security key for OpenSSH too", (type) => {
    const securityKey = new SoftwareSecurityKey(type);
    const signed = (digest: Buffer) =>
      new Writer()
        .writeBytes(MAGIC)
        .writeString("test")
        .writeString("")
        .writeString("sha512")
        .writeString(digest)
        .toBuffer();
    const digest = Buffer.from(run("openssl", ["dgst", "-sha512", "-r"], DATA).slice(0, 128), "hex");
    const blob = new Writer()
      .writeBytes(MAGIC)
      .writeUint32(1)
      .writeString(securityKey.key.publicBlob)
      .writeString("test")
      .writeString("")
      .writeString("sha512")
      .writeString(securityKey.sign(signed(digest)))
      .toBuffer();
    const path = join(directory, `sshsig-${type}`);
    writeFileSync(path, `-----BEGIN SSH SIGNATURE-----\n${blob.toString("base64")}\n-----END SSH SIGNATURE-----\n`);
    writeFileSync(`${path}.allowed`, `me ${securityKey.key.toPublicString()}\n`);
    const verify = ["-Y", "verify", "-f", `${path}.allowed`, "-I", "me", "-n", "test", "-s", path];
    expect(run("ssh-keygen", verify, DATA)).toContain('Good "test" signature');
  });
});
