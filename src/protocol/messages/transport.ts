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

export function decodeDisconnect(payload: Buffer): { reason: number; description: string } {
  const reader = new Reader(payload, 1);
  return { reason: reader.readUint32(), description: reader.readDescription() };
}

/** SSH_MSG_IGNORE without data (RFC 4253 §11.2). */
export function encodeIgnore(): Buffer {
  return new Writer(8).writeByte(MessageNumber.IGNORE).writeString("").toBuffer();
}

/** SSH_MSG_UNIMPLEMENTED (RFC 4253 §11.4). */
export function encodeUnimplemented(sequenceNumber: number): Buffer {
  return new Writer(8).writeByte(MessageNumber.UNIMPLEMENTED).writeUint32(sequenceNumber).toBuffer();
}

/** SSH_MSG_PONG with the data of a SSH_MSG_PING (OpenSSH PROTOCOL §1.9). */
export function encodePongTo(ping: Buffer): Buffer {
  const reader = new Reader(ping, 1);
  const data = reader.readString();
  reader.end();
  return new Writer(5 + data.length).writeByte(MessageNumber.PONG).writeString(data).toBuffer();
}
