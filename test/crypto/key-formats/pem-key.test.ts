import { describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { needs } from "../../support/clients.js";
import { generateKeys } from "../../support/generated-keys.js";
import { codeOf } from "../keys/key-error-code.js";
import { keygen, listedFingerprint, run, temporaryDirectory } from "../keys/ssh-keygen.js";

const directory = temporaryDirectory();

const SIZES = [
  { type: "rsa", bits: 2048 },
  { type: "ecdsa", bits: 256 },
  { type: "ecdsa", bits: 384 },
  { type: "ecdsa", bits: 521 },
] as const;

describe.each([
  { format: "PEM", label: /^-----BEGIN (RSA|EC) PRIVATE KEY-----\n/ },
  { format: "PKCS8", label: /^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----\n/ },
] as const)("ssh-keygen -m $format", needs("ssh-keygen"), ({ format, label }) => {
  it.each(SIZES)("$type $bits in clear", ({ type, bits }) => {
    const made = keygen(directory, { type, bits, format });
    expect(made.privateText).toMatch(label);
    const key = PKey.fromString(made.privateText);
    expect(key).toMatchObject({ bits, hasPrivateKey: true, comment: "" });
    expect(key.fingerprint()).toBe(listedFingerprint(made.path));
    expect(key.publicKey.verify(Buffer.from("data"), key.sign(Buffer.from("data")))).toBe(true);
  });

  it.each(SIZES)("$type $bits with a passphrase", ({ type, bits }) => {
    const made = keygen(directory, { type, bits, format, passphrase: "sesame" });
    expect(made.privateText).toMatch(label);
    expect(made.privateText).toContain("ENCRYPTED");
    expect(PKey.fromString(made.privateText, { passphrase: "sesame" }).fingerprint()).toBe(
      listedFingerprint(made.path),
    );
    expect(codeOf(() => PKey.fromString(made.privateText))).toBe("passphrase-required");
    expect(codeOf(() => PKey.fromString(made.privateText, { passphrase: "Sesame" }))).toBe("wrong-passphrase");
  });

  it.each(SIZES)("$type $bits public", ({ type, bits }) => {
    const { path } = keygen(directory, { type, bits });
    const text = run("ssh-keygen", ["-e", "-m", format, "-f", `${path}.pub`]);
    expect(PKey.fromString(text).fingerprint()).toBe(listedFingerprint(path));
    expect(PKey.fromString(text).hasPrivateKey).toBe(false);
  });
});

describe("keys of openssl", needs("openssl"), () => {
  it("Ed25519 as PKCS #8, in clear and encrypted", () => {
    const clear = run("openssl", ["genpkey", "-algorithm", "ed25519"]);
    const key = PKey.fromString(clear);
    expect(key).toMatchObject({ keyType: "ssh-ed25519", hasPrivateKey: true });
    const arguments_ = ["pkcs8", "-topk8", "-passout", "pass:sesame"];
    for (const how of [["-v2", "aes256"], ["-scrypt"], ["-iter", "600000"], ["-v1", "PBE-SHA1-3DES"]]) {
      const encrypted = run("openssl", [...arguments_, ...how], Buffer.from(clear));
      expect(encrypted).toContain("BEGIN ENCRYPTED PRIVATE KEY");
      expect(PKey.fromString(encrypted, { passphrase: "sesame" }).equals(key)).toBe(true);
      expect(codeOf(() => PKey.fromString(encrypted, { passphrase: "x" }))).toBe("wrong-passphrase");
    }
  });

  it("SEC 1 behind its parameters", () => {
    const text = run("openssl", ["ecparam", "-name", "prime256v1", "-genkey"]);
    expect(text).toMatch(/^-----BEGIN EC PARAMETERS-----/);
    expect(PKey.fromString(text).keyType).toBe("ecdsa-sha2-nistp256");
  });

  it.each([
    ["X25519", () => generateKeys("x25519")],
    ["Ed448", () => generateKeys("ed448")],
    ["RSA-PSS", () => generateKeys("rsa-pss", { modulusLength: 2048 })],
    ["secp256k1", () => generateKeys("ec", { namedCurve: "secp256k1" })],
  ])("%s is not supported", (_, generate) => {
    const { privateKey, publicKey } = generate();
    expect(codeOf(() => PKey.fromString(privateKey.export({ type: "pkcs8", format: "pem" })))).toBe("unsupported");
    expect(codeOf(() => PKey.fromString(publicKey.export({ type: "spki", format: "pem" })))).toBe("unsupported");
  });

  it("a private half of another key is refused", () => {
    const [one, other] = [generateKeys("ec", { namedCurve: "P-256" }), generateKeys("ec", { namedCurve: "P-256" })];
    const der = one.privateKey.export({ type: "pkcs8", format: "der" });
    const foreign = other.privateKey.export({ type: "pkcs8", format: "der" });
    foreign.copy(der, der.length - 65, der.length - 65);
    const text = `-----BEGIN PRIVATE KEY-----\n${der.toString("base64")}\n-----END PRIVATE KEY-----\n`;
    expect(codeOf(() => PKey.fromString(text))).toBe("malformed");
  });

  it("an RSA key whose numbers contradict each other is refused", () => {
    const { privateKey } = generateKeys("rsa", { modulusLength: 2048 });
    const der = privateKey.export({ type: "pkcs1", format: "der" });
    const text = (bytes: Buffer) =>
      `-----BEGIN RSA PRIVATE KEY-----\n${bytes.toString("base64")}\n-----END RSA PRIVATE KEY-----\n`;
    expect(PKey.fromString(text(der)).hasPrivateKey).toBe(true);
    // One place inside each of n, d, p, q, dp, dq, qi.
    for (const offset of [100, 400, 600, 730, 860, 990, 1120]) {
      const changed = Buffer.from(der);
      changed.writeUInt8(changed.readUInt8(offset) ^ 4, offset);
      expect(codeOf(() => PKey.fromString(text(changed)))).toBe("malformed");
    }
  });
});
