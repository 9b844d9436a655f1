import { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";
import { KeyError } from "../keys/key-error.js";
import {
  type KeyMaterial,
  lastingCopy,
  malformedOnProtocolError,
  materialOf,
  plainMaterial,
  printable,
  readPublicHalf,
} from "../keys/key-material.js";
import { namedAlgorithm, verifySignature } from "../keys/key-signature.js";
import type { KeyType } from "../keys/key-type.js";
import { KEY_TYPES } from "../keys/key-types.js";
import { certificateNameOf } from "./certificate-names.js";
import { type CertificateOptions, readCriticalOptions, readExtensions } from "./certificate-options.js";
import { readWithoutNul, textOf } from "./certificate-text.js";

/** As in OpenSSH. */
export const PRINCIPALS_MAXIMUM = 256;

/** The types of certificates, with the numbers of PROTOCOL.certkeys. */
export type CertificateType = "user" | "host";
export const CERTIFICATE_TYPES: Readonly<Record<CertificateType, number>> = { user: 1, host: 2 };

/** A certificate as it was read: whole, and signed by its authority. */
export interface CertificateFields {
  readonly nonce: Buffer;
  readonly certified: KeyMaterial;
  readonly serial: bigint;
  readonly type: CertificateType;
  readonly keyId: Buffer;
  readonly validPrincipals: readonly string[];
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly criticalOptions: CertificateOptions;
  readonly extensions: CertificateOptions;
  readonly reserved: Buffer;
  readonly authority: KeyMaterial;
  readonly signatureAlgorithm: string;
}

const certifiedTypes: ReadonlyMap<string, KeyType> = new Map(
  KEY_TYPES.map((type) => [certificateNameOf(type.name), type]),
);

/**
 * The type of the key that a certificate of type `name` certifies; undefined when `name` is not that of a certificate.
 */
export function certifiedTypeByName(name: string): KeyType | undefined {
  return certifiedTypes.get(name);
}

/**
 * Reads a certificate (OpenSSH PROTOCOL.certkeys) of any origin, and verifies that its authority has signed it. Whether
 * the authority is one to trust is left to the caller.
 *
 * @param blob kept, so nobody else may change it
 * @throws {KeyError} `malformed`, `unsupported` or `weak`
 */
export function readCertificate(blob: Buffer): CertificateFields {
  return malformedOnProtocolError("certificate", () => {
    const fields = new Reader(blob);
    const name = fields.readString().toString("latin1");
    const type = certifiedTypeByName(name);
    if (type === undefined) throw new KeyError("unsupported", `${printable(name)} is not a type of certificate`);
    const nonce = fields.readString();
    const contents = {
      nonce,
      certified: readCertified(type, fields, blob),
      serial: fields.readUint64(),
      type: readType(fields),
      keyId: readWithoutNul(fields, "key ID"),
      validPrincipals: readPrincipals(fields.readString()),
      validAfter: fields.readUint64(),
      validBefore: fields.readUint64(),
      criticalOptions: readCriticalOptions(fields.readString()),
      extensions: readExtensions(fields.readString()),
      reserved: fields.readString(),
      authority: readAuthority(fields.readString()),
    };
    const signed = blob.subarray(0, fields.offset);
    const signature = fields.readString();
    fields.end();
    return { ...contents, signatureAlgorithm: checkSignature(contents.authority, signed, signature) };
  });
}

/** The key that is certified stands in the certificate as in a blob of its own. */
function readCertified(type: KeyType, fields: Reader, blob: Buffer): KeyMaterial {
  const start = fields.offset;
  const publicHalf = readPublicHalf(type, fields);
  const own = blob.subarray(start, fields.offset);
  const publicBlob = new Writer().writeString(type.name).writeBytes(own).toBuffer();
  return materialOf(type, lastingCopy(publicBlob), publicHalf, "");
}

function readType(fields: Reader): CertificateType {
  const number = fields.readUint32();
  if (number === CERTIFICATE_TYPES.user) return "user";
  if (number === CERTIFICATE_TYPES.host) return "host";
  throw new KeyError("unsupported", `a certificate is neither for users nor for hosts, but of type ${number}`);
}

function readPrincipals(bytes: Buffer): readonly string[] {
  const principals: string[] = [];
  const fields = new Reader(bytes);
  while (fields.remaining > 0) {
    if (principals.length === PRINCIPALS_MAXIMUM) {
      throw new KeyError("malformed", `a certificate has more than ${PRINCIPALS_MAXIMUM} principals`);
    }
    principals.push(textOf(readWithoutNul(fields, "principals")));
  }
  return Object.freeze(principals);
}

function readAuthority(blob: Buffer): KeyMaterial {
  const name = new Reader(blob).readString().toString("latin1");
  if (certifiedTypeByName(name) !== undefined) {
    throw new KeyError("unsupported", "a certificate is signed by another certificate, and not by a key");
  }
  return plainMaterial(blob, "");
}

/** The algorithm of the signature, which is right. A security key need not have been touched, as in OpenSSH. */
function checkSignature(authority: KeyMaterial, signed: Buffer, signature: Buffer): string {
  const verified = verifySignature(authority, signed, signature);
  if (verified !== undefined) return verified.algorithm;
  const named = namedAlgorithm(signature);
  if (named !== undefined && !authority.type.signatureAlgorithms.includes(named)) {
    throw new KeyError("unsupported", `certificates signed with ${printable(named)} are not supported`);
  }
  throw new KeyError("malformed", "the signature of a certificate is wrong");
}
