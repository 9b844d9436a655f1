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
  return { reason: reader.readUint32(), description: reader.readString().toString("utf8") };
}

/** SSH_MSG_IGNORE without data (RFC 4253 §11.2). */
export function encodeIgnore(): Buffer {
  return new Writer(8).writeByte(MessageNumber.IGNORE).writeString("").toBuffer();
}

/** SSH_MSG_UNIMPLEMENTED (RFC 4253 §11.4). */
export function encodeUnimplemented(sequenceNumber: number): Buffer {
  return new Writer(8).writeByte(MessageNumber.UNIMPLEMENTED).writeUint32(sequenceNumber).toBuffer();
}

/** The service name of SSH_MSG_SERVICE_REQUEST (RFC 4253 §10). */
export function decodeServiceRequest(payload: Buffer): string {
  const reader = new Reader(payload, 1);
  const name = reader.readText();
  reader.end();
  return name;
}

/** SSH_MSG_SERVICE_ACCEPT (RFC 4253 §10). */
export function encodeServiceAccept(name: string): Buffer {
  return new Writer().writeByte(MessageNumber.SERVICE_ACCEPT).writeString(name).toBuffer();
}

/** SSH_MSG_EXT_INFO (RFC 8308 §2.3): extension names with their values. */
export function encodeExtInfo(extensions: ReadonlyMap<string, string>): Buffer {
  const writer = new Writer().writeByte(MessageNumber.EXT_INFO).writeUint32(extensions.size);
  for (const [name, value] of extensions) writer.writeString(name).writeString(value);
  return writer.toBuffer();
}

export function decodeExtInfo(payload: Buffer): Map<string, Buffer> {
  const reader = new Reader(payload, 1);
  const count = reader.readUint32();
  const extensions = new Map<string, Buffer>();
  for (let index = 0; index < count; index++) extensions.set(reader.readText(), reader.readString());
  reader.end();
  return extensions;
}

/** SSH_MSG_PONG with the data of a SSH_MSG_PING (OpenSSH PROTOCOL §1.9). */
export function encodePongTo(ping: Buffer): Buffer {
  const reader = new Reader(ping, 1);
  const data = reader.readString();
  reader.end();
  return new Writer(5 + data.length).writeByte(MessageNumber.PONG).writeString(data).toBuffer();
}
