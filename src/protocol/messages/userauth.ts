import { MessageNumber } from "../constants.js";
import { ProtocolError } from "../errors.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** SSH_MSG_USERAUTH_REQUEST (RFC 4252 §5) up to its method's own fields, which `fields` is left in front of. */
export interface UserauthRequest {
  readonly username: string;
  readonly service: string;
  readonly method: string;
  readonly fields: Reader;
}

/** @throws {InvalidTextError} when the user name is not UTF-8 */
export function decodeUserauthRequest(payload: Buffer): UserauthRequest {
  const fields = new Reader(payload, 1);
  return { username: fields.readText(), service: fields.readName(), method: fields.readName(), fields };
}

/** The fields of method `password` (RFC 4252 §8); passwords as bytes. */
export function decodePasswordFields(fields: Reader): { password: Buffer; newPassword?: Buffer } {
  const change = fields.readBoolean();
  const password = fields.readString();
  const request = change ? { password, newPassword: fields.readString() } : { password };
  fields.end();
  return request;
}

/** The fields of methods `publickey` (RFC 4252 §7) and `publickey-hostbound-v00@openssh.com` (OpenSSH PROTOCOL §3.1). */
export interface PublicKeyFields {
  readonly algorithm: string;
  readonly keyBlob: Buffer;
  /** The host key the client has seen; only in the host-bound method. */
  readonly hostKeyBlob: Buffer | undefined;
  /** Absent in a query. */
  readonly signature: Buffer | undefined;
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

/** What the signature of a public key request covers (RFC 4252 §7): the session and the request without its signature. */
export function encodeSignedRequest(sessionId: Buffer, request: UserauthRequest, fields: PublicKeyFields): Buffer {
  const writer = new Writer(512)
    .writeString(sessionId)
    .writeByte(MessageNumber.USERAUTH_REQUEST)
    .writeString(request.username)
    .writeString(request.service)
    .writeString(request.method)
    .writeBoolean(true)
    .writeString(fields.algorithm)
    .writeString(fields.keyBlob);
  if (fields.hostKeyBlob !== undefined) writer.writeString(fields.hostKeyBlob);
  return writer.toBuffer();
}

/** The submethods of method `keyboard-interactive` (RFC 4256 §3.1). */
export function decodeKeyboardInteractiveFields(fields: Reader): { submethods: string } {
  fields.readString();
  const submethods = fields.readText();
  fields.end();
  return { submethods };
}

/**
 * SSH_MSG_USERAUTH_INFO_RESPONSE (RFC 4256 §3.4).
 *
 * @param expected number of prompts
 * @throws {InvalidTextError} when an answer is not UTF-8
 */
export function decodeInfoResponse(payload: Buffer, expected: number): string[] {
  const reader = new Reader(payload, 1);
  const count = reader.readUint32();
  if (count !== expected) throw new ProtocolError(`${count} responses to ${expected} prompts`);
  const responses = Array.from({ length: count }, () => reader.readText());
  reader.end();
  return responses;
}

/** One round of questions (RFC 4256 §3.2). */
export interface InfoRequest {
  readonly name?: string;
  readonly instruction?: string;
  readonly prompts: readonly { readonly prompt: string; readonly echo: boolean }[];
}

export function encodeInfoRequest(request: InfoRequest): Buffer {
  const writer = new Writer()
    .writeByte(MessageNumber.USERAUTH_INFO_REQUEST)
    .writeString(request.name ?? "")
    .writeString(request.instruction ?? "")
    .writeString("")
    .writeUint32(request.prompts.length);
  for (const { prompt, echo } of request.prompts) writer.writeString(prompt).writeBoolean(echo);
  return writer.toBuffer();
}

/** SSH_MSG_USERAUTH_FAILURE (RFC 4252 §5.1). */
export function encodeUserauthFailure(methods: readonly string[], partialSuccess: boolean): Buffer {
  return new Writer()
    .writeByte(MessageNumber.USERAUTH_FAILURE)
    .writeNameList(methods)
    .writeBoolean(partialSuccess)
    .toBuffer();
}

export function encodeUserauthSuccess(): Buffer {
  return Buffer.of(MessageNumber.USERAUTH_SUCCESS);
}

/** SSH_MSG_USERAUTH_BANNER (RFC 4252 §5.4). */
export function encodeBanner(text: string): Buffer {
  return new Writer().writeByte(MessageNumber.USERAUTH_BANNER).writeString(text).writeString("").toBuffer();
}

/** SSH_MSG_USERAUTH_PK_OK (RFC 4252 §7). */
export function encodePublicKeyOk(algorithm: string, keyBlob: Buffer): Buffer {
  return new Writer(512).writeByte(MessageNumber.USERAUTH_PK_OK).writeString(algorithm).writeString(keyBlob).toBuffer();
}

/** SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252 §8). */
export function encodePasswordChangeRequest(prompt: string): Buffer {
  return new Writer().writeByte(MessageNumber.USERAUTH_PASSWD_CHANGEREQ).writeString(prompt).writeString("").toBuffer();
}
