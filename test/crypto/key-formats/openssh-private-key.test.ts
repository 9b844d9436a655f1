import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { needs } from "../../support/clients.js";
import { isLong } from "../../support/extent.js";
import { RSA_KEY } from "../../support/rsa-key.js";
import { codeOf } from "../keys/key-error-code.js";
import { KEYS, keygen, listedFingerprint, run, temporaryDirectory } from "../keys/ssh-keygen.js";

const directory = temporaryDirectory();

const CIPHERS = [
  "aes128-cbc",
  "aes192-cbc",
  "aes256-cbc",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "chacha20-poly1305@openssh.com",
  "3des-cbc",
];

const OPENSSH_BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
const OPENSSH_END = "-----END OPENSSH PRIVATE KEY-----\n";

/** `text` with the byte at `offset` (from the end when negative) of its binary form changed. */
function withByteChanged(text: string, offset: number): string {
  const bytes = bytesOf(text);
  const position = offset < 0 ? bytes.length + offset : offset;
  bytes.writeUInt8(bytes.readUInt8(position) ^ 1, position);
  return textOf(bytes);
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text.replace(/-----.*-----/g, ""), "base64");
}

function textOf(bytes: Buffer): string {
  return `${OPENSSH_BEGIN}${bytes.toString("base64")}\n${OPENSSH_END}`;
}

describe("keys written by ssh-keygen", needs("ssh-keygen"), () => {
  it.each(KEYS)("$keyType in clear", ({ type, bits, keyType }) => {
    const made = keygen(directory, { type, bits, comment: "Zoë's key" });
    const key = PKey.fromString(made.privateText);
    expect(key).toMatchObject({ keyType, bits, comment: "Zoë's key", hasPrivateKey: true });
    expect(key.fingerprint()).toBe(listedFingerprint(made.path));
    expect(`${key.toPublicString()}\n`).toBe(made.publicText);
  });

  it.each(KEYS)("$keyType with a passphrase", ({ type, bits }) => {
    const made = keygen(directory, { type, bits, passphrase: "über secret" });
    const key = PKey.fromString(made.privateText, { passphrase: "über secret" });
    expect(key.hasPrivateKey).toBe(true);
    expect(key.fingerprint()).toBe(listedFingerprint(made.path));
  });

  describe.each(CIPHERS)("encrypted with %s", (cipher) => {
    const made = keygen(directory, { type: "ed25519", cipher, passphrase: "sesame", rounds: 2 });

    it("opens with the passphrase", () => {
      const key = PKey.fromString(made.privateText, { passphrase: Buffer.from("sesame") });
      expect(`${key.toPublicString()}\n`).toBe(made.publicText);
      expect(key.comment).toBe("a comment");
    });

    it("tells that a passphrase is missing, or wrong", () => {
      expect(codeOf(() => PKey.fromString(made.privateText))).toBe("passphrase-required");
      expect(codeOf(() => PKey.fromString(made.privateText, { passphrase: "" }))).toBe("passphrase-required");
      expect(codeOf(() => PKey.fromString(made.privateText, { passphrase: "Sesame" }))).toBe("wrong-passphrase");
    });
  });

  it.each(["aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"])(
    "%s: a changed tag or byte is refused",
    (cipher) => {
      const { privateText } = keygen(directory, { type: "ed25519", cipher, passphrase: "sesame" });
      const options = { passphrase: "sesame" };
      expect(codeOf(() => PKey.fromString(withByteChanged(privateText, -1), options))).toBe("wrong-passphrase");
      expect(codeOf(() => PKey.fromString(withByteChanged(privateText, -20), options))).toBe("wrong-passphrase");
      expect(codeOf(() => PKey.fromString(textOf(bytesOf(privateText).subarray(0, -1)), options))).toBe("malformed");
    },
  );

  it("with Windows line ends, a byte order mark and text around", () => {
    const { privateText, publicText } = keygen(directory, { type: "ed25519" });
    const disguised = `\uFEFFmy key:\r\n${privateText.replaceAll("\n", "\r\n")}\r\nthat was it`;
    expect(`${PKey.fromString(disguised).toPublicString()}\n`).toBe(publicText);
  });

  it("DSA is not supported", () => {
    const { privateText, publicText } = keygen(directory, { type: "dsa" });
    expect(codeOf(() => PKey.fromString(privateText))).toBe("unsupported");
    expect(codeOf(() => PKey.fromString(publicText))).toBe("unsupported");
  });

  it("RSA below 2048 bits is weak", () => {
    const { privateText, publicText } = keygen(directory, { type: "rsa", bits: 1024 });
    expect(codeOf(() => PKey.fromString(privateText))).toBe("weak");
    expect(codeOf(() => PKey.fromString(publicText))).toBe("weak");
  });
});

describe("damaged and hostile private keys", needs("ssh-keygen"), () => {
  const { privateText } = keygen(directory, { type: "ed25519", comment: "123456" });

  /** Offsets in the binary form of an Ed25519 key in clear. */
  const OUTER_POINT = 15 + 8 + 8 + 4 + 4 + 4 + 4 + 11 + 4;
  const CHECK_NUMBER = OUTER_POINT + 32 + 4;
  const INNER_POINT = CHECK_NUMBER + 8 + 4 + 11 + 4;
  const SEED = INNER_POINT + 32 + 4;

  it.each([
    ["the public key outside", OUTER_POINT],
    ["a check number", CHECK_NUMBER],
    ["the public key inside", INNER_POINT],
    ["the seed", SEED],
    ["the public key behind the seed", SEED + 32],
    ["the padding", -1],
    ["the file's magic", 14],
  ])("%s is checked", (_, offset) => {
    expect(codeOf(() => PKey.fromString(withByteChanged(privateText, offset)))).toMatch(/^(malformed|unsupported)$/);
  });

  it.each([
    ["outside", OUTER_POINT],
    ["inside", INNER_POINT],
    ["behind the seed", SEED + 32],
  ])("another key's public half %s is refused", (_, offset) => {
    const bytes = bytesOf(privateText);
    PKey.generate({ keyType: "ed25519" }).publicBlob.copy(bytes, offset, 19);
    expect(() => PKey.fromString(textOf(bytes))).toThrow(/does not belong/);
  });

  it("rounds of bcrypt are bounded before they are run", () => {
    const { privateText } = keygen(directory, { type: "ed25519", passphrase: "p", rounds: 1 });
    const bytes = bytesOf(privateText);
    const rounds = bytes.indexOf("bcrypt") + 6 + 4 + 4 + 16;
    expect(bytes.readUInt32BE(rounds)).toBe(1);
    for (const [count, code] of [
      [0, "malformed"],
      [1025, "unsupported"],
      [0xffffffff, "unsupported"],
    ] as const) {
      bytes.writeUInt32BE(count, rounds);
      expect(codeOf(() => PKey.fromString(textOf(bytes), { passphrase: "p" }))).toBe(code);
    }
  });

  it("bytes behind an unencrypted key, several keys, unknown ciphers and KDFs are refused", () => {
    const bytes = bytesOf(privateText);
    expect(codeOf(() => PKey.fromString(textOf(Buffer.concat([bytes, Buffer.of(0)]))))).toBe("malformed");
    const two = Buffer.from(bytes);
    two.writeUInt32BE(2, OUTER_POINT - 4 - 11 - 4 - 4 - 4);
    expect(codeOf(() => PKey.fromString(textOf(two)))).toBe("unsupported");
    const encrypted = bytesOf(keygen(directory, { type: "ed25519", passphrase: "p" }).privateText);
    for (const name of ["aes256-ctr", "bcrypt"]) {
      const changed = Buffer.from(encrypted);
      changed.write("x", changed.indexOf(name));
      expect(codeOf(() => PKey.fromString(textOf(changed), { passphrase: "p" }))).toBe("unsupported");
    }
  });
});

describe("toOpenSSH", needs("ssh-keygen"), () => {
  const generated = [
    PKey.generate({ keyType: "ed25519" }),
    PKey.generate({ keyType: "ecdsa" }),
    PKey.generate({ keyType: "ecdsa", bits: 384 }),
    PKey.generate({ keyType: "ecdsa", bits: 521 }),
    RSA_KEY,
  ];

  it.each(generated.map((key) => [key.keyType, key] as const))("%s is read by ssh-keygen", (name, key) => {
    const path = join(directory, `clear-${name}`);
    writeFileSync(path, key.toOpenSSH({ comment: "spindlex test" }), { mode: 0o600 });
    expect(run("ssh-keygen", ["-y", "-f", path])).toBe(`${key.toPublicString({ comment: "spindlex test" })}\n`);
  });

  // Sixteen rounds, the least there is, take their time: in the gate one that is long.
  const encrypted = generated.filter(({ keyType }) => isLong || keyType === "ssh-rsa");
  it.each(encrypted.map((key) => [key.keyType, key] as const))("%s is read with its passphrase", (name, key) => {
    const path = join(directory, `encrypted-${name}`);
    const text = key.toOpenSSH({ passphrase: "pässword", rounds: 16 });
    writeFileSync(path, text, { mode: 0o600 });
    expect(run("ssh-keygen", ["-y", "-P", "pässword", "-f", path]).trim()).toBe(key.toPublicString());
    expect(() => run("ssh-keygen", ["-y", "-P", "password", "-f", path])).toThrow(/incorrect passphrase/);
    expect(PKey.fromString(text, { passphrase: "pässword" }).equals(key)).toBe(true);
  });

  it("is written as ssh-keygen writes it", () => {
    const { privateText } = keygen(directory, { type: "ecdsa", bits: 256, comment: "same" });
    const rewritten = PKey.fromString(privateText).toOpenSSH();
    expect(rewritten.split("\n").map((line) => line.length)).toEqual(
      privateText.split("\n").map((line) => line.length),
    );
    // The check numbers are random, so the text is not the same, but its bytes are, apart from eight of them.
    const [ours, theirs] = [bytesOf(rewritten), bytesOf(privateText)];
    expect(ours.filter((byte, index) => byte !== theirs[index]).length).toBeLessThanOrEqual(8);
  });
});
