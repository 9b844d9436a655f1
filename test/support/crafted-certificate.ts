import { randomBytes } from "node:crypto";
import type { PKey } from "../../src/crypto/pkey/pkey.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";

/** What `craftCertificate` puts into each field; nothing is checked. */
export interface CraftedCertificate {
  /** The key to certify, in the blob of a plain key. */
  readonly key: PKey;
  /** Signs with its own `sign` unless that is given. */
  readonly authority: PKey;
  readonly sign?: (data: Buffer) => Buffer;
  readonly authorityBlob?: Buffer;
  /** Type's name in front. */
  readonly name?: string;
  readonly nonce?: Buffer;
  readonly serial?: bigint;
  /** Default 1, a user's. */
  readonly type?: number;
  readonly keyId?: string | Buffer;
  /** Default `["user"]`; bytes stand for the whole list. */
  readonly principals?: readonly (string | Buffer)[] | Buffer;
  readonly validAfter?: bigint;
  readonly validBefore?: bigint;
  readonly criticalOptions?: readonly (readonly [string, string | Buffer])[] | Buffer;
  readonly extensions?: readonly (readonly [string, string | Buffer])[] | Buffer;
  readonly reserved?: Buffer;
  /** Behind the authority's key, signed. */
  readonly signedTrailer?: Buffer;
}

/** A text as the data of an option. */
export function optionText(text: string | Buffer): Buffer {
  return new Writer().writeString(text).toBuffer();
}

/** The blob of any certificate that the format has room for, and of some that it has not. */
export function craftCertificate(certificate: CraftedCertificate): Buffer {
  const { key, authority, principals = ["user"], criticalOptions = [], extensions = [] } = certificate;
  const fields = new Reader(key.publicBlob);
  fields.readString();
  const name = key.keyType.replace(/@openssh\.com$/, "");
  const writer = new Writer()
    .writeString(certificate.name ?? `${name}-cert-v01@openssh.com`)
    .writeString(certificate.nonce ?? randomBytes(32))
    .writeBytes(fields.readRest())
    .writeUint64(certificate.serial ?? 0n)
    .writeUint32(certificate.type ?? 1)
    .writeString(certificate.keyId ?? "crafted")
    .writeString(Buffer.isBuffer(principals) ? principals : listOf(principals))
    .writeUint64(certificate.validAfter ?? 0n)
    .writeUint64(certificate.validBefore ?? 2n ** 64n - 1n)
    .writeString(Buffer.isBuffer(criticalOptions) ? criticalOptions : listOf(criticalOptions.flat()))
    .writeString(Buffer.isBuffer(extensions) ? extensions : listOf(extensions.flat()))
    .writeString(certificate.reserved ?? "")
    .writeString(certificate.authorityBlob ?? authority.publicBlob)
    .writeBytes(certificate.signedTrailer ?? Buffer.alloc(0));
  const sign = certificate.sign ?? ((data: Buffer) => authority.sign(data));
  return writer.writeString(sign(Buffer.from(writer.toBuffer()))).toBuffer();
}

function listOf(strings: readonly (string | Buffer)[]): Buffer {
  const list = new Writer();
  for (const text of strings) list.writeString(text);
  return list.toBuffer();
}
