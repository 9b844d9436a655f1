import { MessageNumber } from "../constants.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** SSH_MSG_USERAUTH_REQUEST (RFC 4252 §5) up to the fields of its method. */
export interface UserauthRequestHead {
  readonly username: string;
  readonly service: string;
  readonly method: string;
}

/** The same, with `fields` left in front of the fields of its method. */
export interface UserauthRequest extends UserauthRequestHead {
  readonly fields: Reader;
}

/** @param fields of the method; `none` has none */
export function encodeUserauthRequest(head: UserauthRequestHead, fields: Uint8Array = Buffer.alloc(0)): Buffer {
  return new Writer(512)
    .writeByte(MessageNumber.USERAUTH_REQUEST)
    .writeString(head.username)
    .writeString(head.service)
    .writeString(head.method)
    .writeBytes(fields)
    .toBuffer();
}

/** @throws {InvalidTextError} when the user name is not UTF-8 */
export function decodeUserauthRequest(payload: Buffer): UserauthRequest {
  const fields = new Reader(payload, 1);
  return { username: fields.readText(), service: fields.readName(), method: fields.readName(), fields };
}

/** SSH_MSG_USERAUTH_FAILURE (RFC 4252 §5.1). */
export function encodeUserauthFailure(methods: readonly string[], partialSuccess: boolean): Buffer {
  return new Writer()
    .writeByte(MessageNumber.USERAUTH_FAILURE)
    .writeNameList(methods)
    .writeBoolean(partialSuccess)
    .toBuffer();
}

export function decodeUserauthFailure(payload: Buffer): { methods: string[]; partialSuccess: boolean } {
  const reader = new Reader(payload, 1);
  const failure = { methods: reader.readNameList(), partialSuccess: reader.readBoolean() };
  reader.end();
  return failure;
}

/** SSH_MSG_USERAUTH_SUCCESS (RFC 4252 §5.1). */
export function encodeUserauthSuccess(): Buffer {
  return Buffer.of(MessageNumber.USERAUTH_SUCCESS);
}

/** Checks that nothing stands behind the number. */
export function decodeUserauthSuccess(payload: Buffer): void {
  new Reader(payload, 1).end();
}

/** SSH_MSG_USERAUTH_BANNER (RFC 4252 §5.4). */
export function encodeBanner(text: string): Buffer {
  return new Writer().writeByte(MessageNumber.USERAUTH_BANNER).writeString(text).writeString("").toBuffer();
}

/** The text, control characters and all. */
export function decodeBanner(payload: Buffer): string {
  const reader = new Reader(payload, 1);
  const text = reader.readDescription();
  reader.readString();
  reader.end();
  return text;
}
