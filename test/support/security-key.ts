import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { generateKeys } from "./generated-keys.js";

export const USER_PRESENT = 0x01;
export const USER_VERIFIED = 0x04;

export interface SecurityKeySignOptions {
  /** Default USER_PRESENT. */
  readonly flags?: number;
  /** Default one more than the last time. */
  readonly counter?: number;
  /** What the authenticator hashes in place of its own application. */
  readonly application?: string;
  /** In place of the key's own, in the blob only. */
  readonly algorithm?: string;
}

/** What a FIDO authenticator does for SSH (OpenSSH PROTOCOL.u2f), in software. */
export class SoftwareSecurityKey {
  readonly application: string;
  readonly key: PKey;
  readonly #privateKey: KeyObject;
  readonly #hash: "sha256" | null;
  #counter = 0;

  constructor(type: "ed25519" | "ecdsa", application = "ssh:", privateKey = newPrivateKey(type)) {
    const plain = PKey.fromString(createPublicKey(privateKey).export({ type: "spki", format: "pem" }));
    const fields = new Reader(plain.publicBlob);
    fields.readString();
    const name = type === "ed25519" ? "sk-ssh-ed25519@openssh.com" : "sk-ecdsa-sha2-nistp256@openssh.com";
    const blob = new Writer().writeString(name).writeBytes(fields.readRest()).writeString(application).toBuffer();
    this.application = application;
    this.key = PKey.fromBlob(blob);
    this.#privateKey = privateKey;
    this.#hash = type === "ed25519" ? null : "sha256";
  }

  /** The key in a file that ssh-keygen has made with `securityKeyProvider`, whose key handle is the private key. */
  static fromFile(path: string): SoftwareSecurityKey {
    const base64 = readFileSync(path, "utf8").replace(/-----.*-----/g, "");
    const file = new Reader(Buffer.from(base64, "base64"), "openssh-key-v1\0".length);
    // The names of cipher and key derivation, its options, the number of keys, and the public key.
    for (let strings = 0; strings < 3; strings++) file.readString();
    file.readUint32();
    file.readString();
    const fields = new Reader(file.readString(), 8);
    const type = fields.readText().startsWith("sk-ecdsa") ? "ecdsa" : "ed25519";
    if (type === "ecdsa") fields.readString();
    const publicKey = fields.readString();
    const application = fields.readText();
    fields.readByte();
    return new SoftwareSecurityKey(type, application, privateKeyOf(type, publicKey, fields.readString()));
  }

  /** A whole signature blob. */
  sign(data: Buffer, options: SecurityKeySignOptions = {}): Buffer {
    const { flags = USER_PRESENT, counter = ++this.#counter, application = this.application } = options;
    const signed = new Writer()
      .writeBytes(sha256(application))
      .writeByte(flags)
      .writeUint32(counter)
      .writeBytes(sha256(data))
      .toBuffer();
    return new Writer()
      .writeString(options.algorithm ?? this.key.signatureAlgorithms[0] ?? "")
      .writeString(this.#raw(signed))
      .writeByte(flags)
      .writeUint32(counter)
      .toBuffer();
  }

  /** The inner signature of `data` itself, as a plain key makes it. */
  signPlain(data: Buffer, algorithm: string): Buffer {
    return new Writer().writeString(algorithm).writeString(this.#raw(data)).toBuffer();
  }

  #raw(data: Buffer): Buffer {
    if (this.#hash === null) return sign(null, data, this.#privateKey);
    const bytes = sign(this.#hash, data, { key: this.#privateKey, dsaEncoding: "ieee-p1363" });
    return new Writer().writeMpint(bytes.subarray(0, 32)).writeMpint(bytes.subarray(32)).toBuffer();
  }
}

function newPrivateKey(type: "ed25519" | "ecdsa"): KeyObject {
  return (type === "ed25519" ? generateKeys("ed25519") : generateKeys("ec", { namedCurve: "P-256" })).privateKey;
}

function privateKeyOf(type: "ed25519" | "ecdsa", publicKey: Buffer, secret: Buffer): KeyObject {
  const text = (bytes: Buffer) => bytes.toString("base64url");
  const key =
    type === "ed25519"
      ? { kty: "OKP", crv: "Ed25519", x: text(publicKey), d: text(secret) }
      : {
          kty: "EC",
          crv: "P-256",
          x: text(publicKey.subarray(1, 33)),
          y: text(publicKey.subarray(33)),
          d: text(secret),
        };
  return createPrivateKey({ key, format: "jwk" });
}

function sha256(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}
