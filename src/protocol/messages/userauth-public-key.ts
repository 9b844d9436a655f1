import { MessageNumber } from "../constants.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";
import { encodeUserauthRequest, type UserauthRequestHead } from "./userauth.js";

/** The fields of methods `publickey` (RFC 4252 §7) and `publickey-hostbound-v00@openssh.com` (OpenSSH PROTOCOL §3.1). */
export interface PublicKeyFields {
  readonly algorithm: string;
  readonly keyBlob: Buffer;
  /** The host key the client has seen; only in the host-bound method. */
  readonly hostKeyBlob: Buffer | undefined;
  /** Absent in a query. */
  readonly signature: Buffer | undefined;
}

export function encodePublicKeyFields(fields: PublicKeyFields): Buffer {
  const { signature } = fields;
  if (signature === undefined) return writeUpToSignature(fields, "query").toBuffer();
  return writeUpToSignature(fields, "signed").writeString(signature).toBuffer();
}

export function decodePublicKeyFields(fields: Reader, form: "plain" | "host-bound"): PublicKeyFields {
  const signed = fields.readBoolean();
  const algorithm = fields.readName();
  const keyBlob = fields.readString();
  const hostKeyBlob = form === "host-bound" ? fields.readString() : undefined;
  const signature = signed ? fields.readString() : undefined;
  fields.end();
  return { algorithm, keyBlob, hostKeyBlob, signature };
}

/** The bytes that a user's signature covers (RFC 4252 §7): the session and the request without its signature. */
export function encodeSignedRequest(sessionId: Buffer, request: UserauthRequestHead, fields: PublicKeyFields): Buffer {
  const unsigned = encodeUserauthRequest(request, writeUpToSignature(fields, "signed").toBuffer());
  return new Writer(sessionId.length + unsigned.length + 4).writeString(sessionId).writeBytes(unsigned).toBuffer();
}

function writeUpToSignature({ algorithm, keyBlob, hostKeyBlob }: PublicKeyFields, form: "query" | "signed"): Writer {
  const writer = new Writer(512)
    .writeBoolean(form === "signed")
    .writeString(algorithm)
    .writeString(keyBlob);
  return hostKeyBlob === undefined ? writer : writer.writeString(hostKeyBlob);
}

/** SSH_MSG_USERAUTH_PK_OK (RFC 4252 §7). */
export function encodePublicKeyOk(algorithm: string, keyBlob: Buffer): Buffer {
  return new Writer(512).writeByte(MessageNumber.USERAUTH_PK_OK).writeString(algorithm).writeString(keyBlob).toBuffer();
}

export function decodePublicKeyOk(payload: Buffer): { algorithm: string; keyBlob: Buffer } {
  const reader = new Reader(payload, 1);
  const accepted = { algorithm: reader.readName(), keyBlob: reader.readString() };
  reader.end();
  return accepted;
}
