import { createHash, type KeyObject } from "node:crypto";
import type { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";
import { ecdsaP256 } from "./ecdsa.js";
import { ed25519 } from "./ed25519.js";
import type { SecurityKeyType } from "./key-type.js";

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;

export const securityKeyEd25519: SecurityKeyType = {
  kind: "security-key",
  name: "sk-ssh-ed25519@openssh.com",
  signatureAlgorithms: ["sk-ssh-ed25519@openssh.com"],
  base: ed25519,
};

export const securityKeyEcdsaP256: SecurityKeyType = {
  kind: "security-key",
  name: "sk-ecdsa-sha2-nistp256@openssh.com",
  signatureAlgorithms: ["sk-ecdsa-sha2-nistp256@openssh.com"],
  base: ecdsaP256,
};

/** The statements of a FIDO authenticator about the moment when it signed. */
export interface SecurityKeySignature {
  /** The number of signatures so far, in some models for all keys together; others always say 0. */
  readonly counter: number;
  /** Somebody has touched it. */
  readonly userPresent: boolean;
  /** It has verified its user, by PIN or fingerprint. */
  readonly userVerified: boolean;
}

/** The public half of a key in an authenticator. */
export interface SecurityKey {
  readonly type: SecurityKeyType;
  readonly publicKey: KeyObject;
  readonly application: string;
}

/**
 * Reads the fields that follow the algorithm's name in a signature (PROTOCOL.u2f, SSH U2F Signatures) and verifies it.
 *
 * @returns undefined when the signature is wrong
 * @throws {ProtocolError} when it is malformed
 */
export function verifySecurityKey(
  data: Buffer,
  { type, publicKey, application }: SecurityKey,
  fields: Reader,
): SecurityKeySignature | undefined {
  const signature = fields.readString();
  const flags = fields.readByte();
  const counter = fields.readUint32();
  fields.end();
  const signed = new Writer(69)
    .writeBytes(sha256(application))
    .writeByte(flags)
    .writeUint32(counter)
    .writeBytes(sha256(data))
    .toBuffer();
  if (!type.base.verify(signed, publicKey, signature, type.base.name)) return undefined;
  return {
    counter,
    userPresent: (flags & USER_PRESENT) !== 0,
    userVerified: (flags & USER_VERIFIED) !== 0,
  };
}

function sha256(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}
