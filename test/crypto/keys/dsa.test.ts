import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KeyError } from "../../../src/crypto/keys/key-error.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { Writer } from "../../../src/protocol/writer.js";
import { temporaryDirectory } from "./ssh-keygen.js";

const REASON =
  "DSA keys are not supported, because their signatures in SSH use SHA-1: make a new key with `ssh-keygen -t ed25519`";

const { publicKey, privateKey } = generateKeyPairSync("dsa", { modulusLength: 1024, divisorLength: 160 });
const passphrase = "passphrase";
const directory = temporaryDirectory();

const blob = (name: string) => new Writer().writeString(name).writeString("numbers").toBuffer();
const line = (name: string) => `${name} ${blob(name).toString("base64")} comment`;
const armoured = (label: string, bytes: Buffer) =>
  `-----BEGIN ${label}-----\n${bytes.toString("base64").replace(/.{70}/g, "$&\n")}\n-----END ${label}-----\n`;

/** As far as it is read before it is clear what it holds. */
function opensshPrivateKey(cipher: string, kdf: string): string {
  const bytes = new Writer()
    .writeBytes(Buffer.from("openssh-key-v1\0"))
    .writeString(cipher)
    .writeString(kdf)
    .writeString("")
    .writeUint32(1)
    .writeString(blob("ssh-dss"))
    .writeString(Buffer.alloc(16));
  return armoured("OPENSSH PRIVATE KEY", bytes.toBuffer());
}

const pem = { type: "pkcs8", format: "pem" } as const;
const encryption = { cipher: "aes-256-cbc", passphrase };

describe("a DSA key", () => {
  it.each([
    ["OpenSSH", opensshPrivateKey("none", "none"), {}],
    ["OpenSSH, encrypted, before its passphrase is asked for", opensshPrivateKey("aes256-ctr", "bcrypt"), {}],
    ["PEM", armoured("DSA PRIVATE KEY", Buffer.alloc(100)), {}],
    ["PKCS #8", privateKey.export(pem).toString(), {}],
    ["PKCS #8, encrypted", privateKey.export({ ...pem, ...encryption }).toString(), { passphrase }],
    ["SubjectPublicKeyInfo", publicKey.export({ type: "spki", format: "pem" }).toString(), {}],
    ["a public line", line("ssh-dss"), {}],
    [
      "RFC 4716",
      `---- BEGIN SSH2 PUBLIC KEY ----\n${line("ssh-dss").split(" ")[1]}\n---- END SSH2 PUBLIC KEY ----`,
      {},
    ],
    ["a certificate", line("ssh-dss-cert-v01@openssh.com"), {}],
  ])("in the format %s: the error says why, and what to do", async (_, text, options) => {
    expect(() => PKey.fromString(text, options)).toThrow(new KeyError("unsupported", REASON));
    const path = join(directory, "key");
    writeFileSync(path, text);
    await expect(PKey.fromFile(path, options)).rejects.toMatchObject({
      code: "unsupported",
      message: `cannot use the key file ${JSON.stringify(path)}: ${REASON}`,
    });
  });

  it("as a peer sends it: the same", () => {
    expect(() => PKey.fromBlob(blob("ssh-dss"))).toThrow(new KeyError("unsupported", REASON));
  });
});
