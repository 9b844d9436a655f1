import { randomBytes } from "node:crypto";
import { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";
import { refuseDSA } from "../keys/dsa.js";
import { KeyError, passphraseRequired, wrongPassphrase } from "../keys/key-error.js";
import { type KeyMaterial, malformedOnProtocolError, printable, privateMaterial } from "../keys/key-material.js";
import { keyTypeByName } from "../keys/key-types.js";
import { decodeBase64 } from "./base64.js";
import { deriveKey } from "./derive-key.js";
import { keyFileCipherByName, WRITTEN_CIPHER } from "./key-file-cipher.js";
import { type PemBlock, toPem } from "./pem-block.js";

/** The private key format of OpenSSH (PROTOCOL.key): its label, and the first of its bytes. */
export const OPENSSH_LABEL = "OPENSSH PRIVATE KEY";
const MAGIC = Buffer.from("openssh-key-v1\0", "latin1");
/** Line length of the base64 as OpenSSH writes it. */
const LINE_LENGTH = 70;
const UNENCRYPTED_BLOCK = 8;
const SALT_LENGTH = 16;

/** The file's envelope: everything that is readable without the passphrase. */
interface Envelope {
  readonly cipher: string;
  readonly kdf: string;
  readonly kdfOptions: Buffer;
  readonly publicBlob: Buffer;
  readonly privatePart: Buffer;
  /** Authentication tag of an AEAD, or nothing. */
  readonly tag: Buffer;
}

/**
 * Reads a private key in OpenSSH's format.
 *
 * @throws {KeyError}
 */
export function readOpenSSHPrivateKey(block: PemBlock, passphrase: Buffer | undefined): KeyMaterial {
  const bytes = decodeBase64(block.body);
  if (bytes === undefined) throw new KeyError("malformed", "the private key is not valid base64");
  return malformedOnProtocolError("private key", () => {
    const envelope = readEnvelope(bytes);
    checkIsUsable(envelope.publicBlob);
    const material = readPrivatePart(decrypt(envelope, passphrase), envelope.cipher !== "none");
    if (!material.publicBlob.equals(envelope.publicBlob)) {
      throw new KeyError("malformed", "the private half of the key does not belong to its public half");
    }
    return material;
  });
}

function readEnvelope(bytes: Buffer): Envelope {
  const fields = new Reader(bytes);
  if (!fields.readBytes(MAGIC.length).equals(MAGIC)) {
    throw new KeyError("unsupported", "the private key is not in the format openssh-key-v1");
  }
  const cipher = fields.readString().toString("latin1");
  const kdf = fields.readString().toString("latin1");
  const kdfOptions = fields.readString();
  const keys = fields.readUint32();
  if (keys !== 1) throw new KeyError("unsupported", `a file with ${keys} private keys is not supported`);
  return {
    cipher,
    kdf,
    kdfOptions,
    publicBlob: fields.readString(),
    privatePart: fields.readString(),
    tag: fields.readRest(),
  };
}

/**
 * A DSA key is of no use, and the file of a security key holds a handle for its authenticator. Told before a passphrase
 * is asked for.
 */
function checkIsUsable(publicBlob: Buffer): void {
  const name = new Reader(publicBlob).readString().toString("latin1");
  refuseDSA(name);
  if (keyTypeByName(name)?.kind === "security-key") throw inAuthenticator();
}

function inAuthenticator(): KeyError {
  return new KeyError(
    "unsupported",
    "the private half of a security key is in its authenticator, not in this file: use the public key, the .pub file",
  );
}

/**
 * The private part in clear; whether the passphrase was right shows in the part itself, unless the cipher has a tag.
 */
function decrypt(envelope: Envelope, passphrase: Buffer | undefined): Buffer {
  if (envelope.cipher === "none") return checkUnencrypted(envelope);

  const cipher = keyFileCipherByName(envelope.cipher);
  if (cipher === undefined) {
    throw new KeyError("unsupported", `private keys encrypted with ${printable(envelope.cipher)} are not supported`);
  }
  if (envelope.kdf !== "bcrypt") {
    throw new KeyError("unsupported", `private keys with the KDF ${printable(envelope.kdf)} are not supported`);
  }
  const { privatePart, tag } = envelope;
  if (privatePart.length % cipher.blockLength !== 0 || tag.length !== cipher.tagLength) {
    throw new KeyError("malformed", "the encrypted part of the private key has the wrong length");
  }
  const options = new Reader(envelope.kdfOptions);
  const salt = options.readString();
  const rounds = options.readUint32();
  options.end();
  if (passphrase === undefined) throw passphraseRequired();

  const secret = deriveKey(passphrase, salt, rounds, cipher.keyLength + cipher.ivLength);
  const key = secret.subarray(0, cipher.keyLength);
  const clear = cipher.decrypt(key, secret.subarray(cipher.keyLength), privatePart, tag);
  if (clear === undefined) throw wrongPassphrase();
  return clear;
}

function checkUnencrypted({ kdf, kdfOptions, privatePart, tag }: Envelope): Buffer {
  if (kdf !== "none" || kdfOptions.length !== 0 || tag.length !== 0 || privatePart.length % UNENCRYPTED_BLOCK !== 0) {
    throw new KeyError("malformed", "the private key is malformed: its fields contradict that it is not encrypted");
  }
  return privatePart;
}

function readPrivatePart(bytes: Buffer, encrypted: boolean): KeyMaterial {
  const fields = new Reader(bytes);
  const check = fields.readUint32();
  if (fields.readUint32() !== check) {
    if (encrypted) throw wrongPassphrase();
    throw new KeyError("malformed", "the private key is malformed: its check numbers differ");
  }
  const name = fields.readString().toString("latin1");
  const type = keyTypeByName(name);
  if (type === undefined) throw new KeyError("unsupported", `keys of type ${printable(name)} are not supported`);
  if (type.kind === "security-key") throw inAuthenticator();
  const privateKey = type.readPrivateKey(fields);
  const comment = fields.readString().toString("utf8");
  const padding = fields.readRest();
  if (padding.some((byte, index) => byte !== index + 1)) {
    throw new KeyError("malformed", "the private key is malformed: its padding is wrong");
  }
  return privateMaterial(privateKey, comment);
}

/** The protection of a private key that is written. */
export interface Protection {
  readonly passphrase: Buffer;
  /** Rounds of bcrypt. */
  readonly rounds: number;
}

/**
 * The text of a private key file as OpenSSH reads it; in clear without `protection`. `material` has its private half.
 */
export function writeOpenSSHPrivateKey(material: KeyMaterial, comment: string, protection?: Protection): string {
  const fields = new Writer(4096).writeBytes(MAGIC);
  if (protection === undefined) {
    fields.writeString("none").writeString("none").writeString("");
    fields.writeUint32(1).writeString(material.publicBlob);
    fields.writeString(privatePart(material, comment, UNENCRYPTED_BLOCK));
  } else {
    const { name, keyLength, ivLength, blockLength, encrypt } = WRITTEN_CIPHER;
    const salt = randomBytes(SALT_LENGTH);
    const secret = deriveKey(protection.passphrase, salt, protection.rounds, keyLength + ivLength);
    const clear = privatePart(material, comment, blockLength);
    fields.writeString(name).writeString("bcrypt");
    fields.writeString(new Writer().writeString(salt).writeUint32(protection.rounds).toBuffer());
    fields.writeUint32(1).writeString(material.publicBlob);
    fields.writeString(encrypt(secret.subarray(0, keyLength), secret.subarray(keyLength), clear));
  }
  return toPem(OPENSSH_LABEL, fields.toBuffer().toString("base64"), LINE_LENGTH);
}

function privatePart({ type, privateKey }: KeyMaterial, comment: string, blockLength: number): Buffer {
  if (privateKey === undefined || type.kind !== "plain") {
    throw new KeyError("public-only", "the key has no private half to write");
  }
  const check = randomBytes(4);
  const fields = new Writer(4096).writeBytes(check).writeBytes(check).writeString(type.name);
  type.writePrivateKey(fields, privateKey);
  fields.writeString(comment);
  for (let padding = 1; fields.toBuffer().length % blockLength !== 0; padding++) fields.writeByte(padding);
  return fields.toBuffer();
}
