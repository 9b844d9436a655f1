import { createHash, type KeyObject, sign } from "node:crypto";
import { PKey } from "../../src/crypto/keys/pkey.js";
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

  constructor(type: "ed25519" | "ecdsa", application = "ssh:") {
    const pair = type === "ed25519" ? generateKeys("ed25519") : generateKeys("ec", { namedCurve: "P-256" });
    const plain = PKey.fromString(pair.publicKey.export({ type: "spki", format: "pem" }));
    const fields = new Reader(plain.publicBlob);
    fields.readString();
    const name = type === "ed25519" ? "sk-ssh-ed25519@openssh.com" : "sk-ecdsa-sha2-nistp256@openssh.com";
    const blob = new Writer().writeString(name).writeBytes(fields.readRest()).writeString(application).toBuffer();
    this.application = application;
    this.key = PKey.fromBlob(blob);
    this.#privateKey = pair.privateKey;
    this.#hash = type === "ed25519" ? null : "sha256";
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

function sha256(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}
