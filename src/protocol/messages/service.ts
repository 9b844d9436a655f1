import { MessageNumber } from "../constants.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** SSH_MSG_SERVICE_REQUEST (RFC 4253 §10). */
export function encodeServiceRequest(name: string): Buffer {
  return new Writer().writeByte(MessageNumber.SERVICE_REQUEST).writeString(name).toBuffer();
}

/** The service name. */
export function decodeServiceRequest(payload: Buffer): string {
  return lastText(payload);
}

/** SSH_MSG_SERVICE_ACCEPT (RFC 4253 §10). */
export function encodeServiceAccept(name: string): Buffer {
  return new Writer().writeByte(MessageNumber.SERVICE_ACCEPT).writeString(name).toBuffer();
}

/** The service name. */
export function decodeServiceAccept(payload: Buffer): string {
  return lastText(payload);
}

function lastText(payload: Buffer): string {
  const reader = new Reader(payload, 1);
  const text = reader.readText();
  reader.end();
  return text;
}
