import { MessageNumber } from "../constants.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** The fields of method `password` (RFC 4252 §8); passwords as bytes. */
export interface PasswordFields {
  readonly password: Buffer;
  /** Only in a change. */
  readonly newPassword?: Buffer;
}

export function encodePasswordFields({ password, newPassword }: PasswordFields): Buffer {
  const fields = new Writer().writeBoolean(newPassword !== undefined).writeString(password);
  return (newPassword === undefined ? fields : fields.writeString(newPassword)).toBuffer();
}

export function decodePasswordFields(fields: Reader): PasswordFields {
  const change = fields.readBoolean();
  const password = fields.readString();
  const request = change ? { password, newPassword: fields.readString() } : { password };
  fields.end();
  return request;
}

/** SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252 §8). */
export function encodePasswordChangeRequest(prompt: string): Buffer {
  return new Writer().writeByte(MessageNumber.USERAUTH_PASSWD_CHANGEREQ).writeString(prompt).writeString("").toBuffer();
}

/** The prompt, control characters and all. */
export function decodePasswordChangeRequest(payload: Buffer): string {
  const reader = new Reader(payload, 1);
  const prompt = reader.readDescription();
  reader.readString();
  reader.end();
  return prompt;
}
