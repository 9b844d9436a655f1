import { ProtocolError } from "../../protocol/errors.js";
import { Reader } from "../../protocol/reader.js";
import type { KeyMaterial } from "./key-material.js";
import { type SecurityKeySignature, verifySecurityKey } from "./security-keys.js";

/** A signature that is right. */
export interface VerifiedSignature {
  /** The algorithm that it names, never that of a certificate: `ssh-ed25519`, `rsa-sha2-512`, … */
  readonly algorithm: string;
  /** The statements of a security key's authenticator. They are not judged yet. */
  readonly securityKey?: SecurityKeySignature;
}

/** The algorithm that a signature blob names; undefined when it is not a signature. */
export function namedAlgorithm(signature: Buffer): string | undefined {
  try {
    return new Reader(signature).readString().toString("latin1");
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/**
 * Verifies a signature blob (RFC 4253 §6.6, PROTOCOL.u2f) of any bytes.
 *
 * @param algorithm the one to accept; any of the key type's own without it
 * @returns undefined when it is malformed, wrong, or made by another algorithm
 */
export function verifySignature(
  key: KeyMaterial,
  data: Buffer,
  signature: Buffer,
  algorithm?: string,
): VerifiedSignature | undefined {
  try {
    const fields = new Reader(signature);
    const named = fields.readString().toString("latin1");
    if (!key.type.signatureAlgorithms.includes(named)) return undefined;
    if (algorithm !== undefined && algorithm !== named) return undefined;
    const { type, opened, application } = key;
    if (type.kind === "plain") {
      const bytes = fields.readString();
      fields.end();
      return type.verify(data, opened.key, bytes, named) ? { algorithm: named } : undefined;
    }
    if (application === undefined) return undefined;
    const securityKey = verifySecurityKey(data, { type, publicKey: opened.key, application }, fields);
    return securityKey === undefined ? undefined : { algorithm: named, securityKey };
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
