import { randomBytes } from "node:crypto";
import { ConfigurationError } from "../../base/configuration-error.js";
import { checkChoice, checkObject } from "../../base/option-checks.js";
import { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";
import type { KeyMaterial } from "../keys/key-material.js";
import { FOREVER } from "./certificate-contents.js";
import { certificateNameOf } from "./certificate-names.js";
import { CERTIFICATE_TYPES, type CertificateType, PRINCIPALS_MAXIMUM } from "./read-certificate.js";

/** The terms on which a certificate certifies the key in it. */
export interface CertificateTerms {
  readonly type: CertificateType;
  /** Names the certificate in the logs of servers. Lists can revoke certificates by it. */
  readonly keyId: string;
  /** 0 to 2⁶⁴ - 1, by default 0. Certificates with numbers of their own can be revoked by them. */
  readonly serial?: bigint | number;
  /** User names or host names, 1 to 256. */
  readonly principals: readonly string[];
  /** To the second. Without it valid from the start. */
  readonly validAfter?: Date;
  /** To the second. Without it valid for ever. */
  readonly validBefore?: Date;
  /** Names with their texts, such as `{ "force-command": "backup" }`; "" for those without, as `verify-required`. */
  readonly criticalOptions?: Readonly<Record<string, string>>;
  /** Likewise, such as `{ "permit-pty": "" }`. By default none: its user may run commands, and nothing else. */
  readonly extensions?: Readonly<Record<string, string>>;
}

export const CERTIFICATE_TERMS = [
  "type",
  "keyId",
  "serial",
  "principals",
  "validAfter",
  "validBefore",
  "criticalOptions",
  "extensions",
] as const;

const NONCE_LENGTH = 32;

/**
 * The blob of a certificate (PROTOCOL.certkeys).
 *
 * @param certified the key in it
 * @param sign makes the signature blob of the authority
 * @throws {ConfigurationError} when one of the terms is out of range
 */
export function encodeCertificate(
  certified: KeyMaterial,
  authorityBlob: Buffer,
  terms: CertificateTerms,
  sign: (data: Buffer) => Buffer,
): Buffer {
  const { type, keyId, serial = 0n, principals, criticalOptions = {}, extensions = {} } = terms;
  checkChoice("type", type, ["user", "host"]);
  const fields = new Reader(certified.publicBlob);
  fields.readString();
  const validAfter = secondsOf("validAfter", terms.validAfter) ?? 0n;
  const validBefore = secondsOf("validBefore", terms.validBefore) ?? FOREVER;
  if (validAfter >= validBefore) throw new ConfigurationError("validBefore", "must be later than validAfter");

  const certificate = new Writer(1024)
    .writeString(certificateNameOf(certified.type.name))
    .writeString(randomBytes(NONCE_LENGTH))
    .writeBytes(fields.readRest())
    .writeUint64(serialOf(serial))
    .writeUint32(CERTIFICATE_TYPES[type])
    .writeString(withoutNul("keyId", keyId))
    .writeString(encodePrincipals(principals))
    .writeUint64(validAfter)
    .writeUint64(validBefore)
    .writeString(encodeOptions("criticalOptions", criticalOptions))
    .writeString(encodeOptions("extensions", extensions))
    .writeString("")
    .writeString(authorityBlob);
  const signature = sign(certificate.toBuffer());
  return certificate.writeString(signature).toBuffer();
}

/** An empty list is refused, because some servers take a certificate with one for anybody's. */
function encodePrincipals(principals: readonly string[]): Buffer {
  if (!Array.isArray(principals) || principals.length === 0 || principals.length > PRINCIPALS_MAXIMUM) {
    throw new ConfigurationError("principals", `must be a list of 1 to ${PRINCIPALS_MAXIMUM} names`);
  }
  const list = new Writer();
  for (const principal of principals) {
    if (principal === "") throw new ConfigurationError("principals", "must not hold an empty name");
    list.writeString(withoutNul("principals", principal));
  }
  return list.toBuffer();
}

/** In the order of their names' bytes, as the format demands. */
function encodeOptions(option: string, options: Readonly<Record<string, string>>): Buffer {
  checkObject(option, options, ' of texts, such as { "permit-pty": "" }');
  const list = new Writer();
  const entries = Object.entries(options).map(([name, text]) => ({ name, bytes: Buffer.from(name), text }));
  for (const { name, text } of entries.sort((one, other) => Buffer.compare(one.bytes, other.bytes))) {
    list.writeString(withoutNul(option, name));
    list.writeString(text === "" ? "" : new Writer().writeString(withoutNul(option, text)).toBuffer());
  }
  return list.toBuffer();
}

function serialOf(serial: bigint | number): bigint {
  const inRange =
    typeof serial === "bigint" ? serial >= 0n && serial <= FOREVER : Number.isSafeInteger(serial) && serial >= 0;
  if (!inRange) throw new ConfigurationError("serial", "must be an integer from 0 to 2^64 - 1, a bigint from 2^53");
  return BigInt(serial);
}

function secondsOf(option: string, date: Date | undefined): bigint | undefined {
  if (date === undefined) return undefined;
  const seconds = date instanceof Date ? Math.floor(date.getTime() / 1000) : Number.NaN;
  if (!(seconds >= 0)) throw new ConfigurationError(option, "must be a valid Date, in 1970 or later");
  return BigInt(seconds);
}

function withoutNul(option: string, text: string): string {
  if (typeof text !== "string" || /[\0\p{Cs}]/u.test(text)) {
    throw new ConfigurationError(option, "must be a text without NUL");
  }
  return text;
}
