import { type DisconnectReason, MessageNumber } from "../constants.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** SSH_MSG_DISCONNECT (RFC 4253 §11.1). */
export function encodeDisconnect(reason: DisconnectReason, description: string): Buffer {
  return new Writer()
    .writeByte(MessageNumber.DISCONNECT)
    .writeUint32(reason)
    .writeString(description)
    .writeString("")
    .toBuffer();
}

/** Takes one without a language, too: the connection ends in any case. */
export function decodeDisconnect(payload: Buffer): { reason: number; description: string } {
  const reader = new Reader(payload, 1);
  return { reason: reader.readUint32(), description: reader.readDescription() };
}

/** SSH_MSG_IGNORE (RFC 4253 §11.2). */
export function encodeIgnore(data: Uint8Array = Buffer.alloc(0)): Buffer {
  return encodeData(MessageNumber.IGNORE, data);
}

export function decodeIgnore(payload: Buffer): Buffer {
  return decodeData(payload);
}

/** SSH_MSG_UNIMPLEMENTED (RFC 4253 §11.4). */
export function encodeUnimplemented(sequenceNumber: number): Buffer {
  return new Writer(8).writeByte(MessageNumber.UNIMPLEMENTED).writeUint32(sequenceNumber).toBuffer();
}

/** The sequence number of the message that is not implemented. */
export function decodeUnimplemented(payload: Buffer): number {
  const reader = new Reader(payload, 1);
  const sequenceNumber = reader.readUint32();
  reader.end();
  return sequenceNumber;
}

/** SSH_MSG_DEBUG (RFC 4253 §11.3), without the language, which nobody uses. */
export interface Debug {
  readonly alwaysDisplay: boolean;
  readonly message: string;
}

export function encodeDebug({ alwaysDisplay, message }: Debug): Buffer {
  return new Writer()
    .writeByte(MessageNumber.DEBUG)
    .writeBoolean(alwaysDisplay)
    .writeString(message)
    .writeString("")
    .toBuffer();
}

export function decodeDebug(payload: Buffer): Debug {
  const reader = new Reader(payload, 1);
  const debug = { alwaysDisplay: reader.readBoolean(), message: reader.readDescription() };
  reader.readString();
  reader.end();
  return debug;
}

/** SSH_MSG_NEWKEYS (RFC 4253 §7.3). */
export function encodeNewKeys(): Buffer {
  return Buffer.of(MessageNumber.NEWKEYS);
}

/** Checks that nothing stands behind the number. */
export function decodeNewKeys(payload: Buffer): void {
  new Reader(payload, 1).end();
}

/** SSH_MSG_PING (OpenSSH PROTOCOL §1.9). */
export function encodePing(data: Uint8Array): Buffer {
  return encodeData(MessageNumber.PING, data);
}

export function decodePing(payload: Buffer): Buffer {
  return decodeData(payload);
}

/** SSH_MSG_PONG, with the data of the PING that it answers (OpenSSH PROTOCOL §1.9). */
export function encodePong(data: Uint8Array): Buffer {
  return encodeData(MessageNumber.PONG, data);
}

export function decodePong(payload: Buffer): Buffer {
  return decodeData(payload);
}

function encodeData(messageNumber: number, data: Uint8Array): Buffer {
  return new Writer(5 + data.length).writeByte(messageNumber).writeString(data).toBuffer();
}

function decodeData(payload: Buffer): Buffer {
  const reader = new Reader(payload, 1);
  const data = reader.readString();
  reader.end();
  return data;
}
