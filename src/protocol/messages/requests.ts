import { MessageNumber } from "../constants.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** SSH_MSG_GLOBAL_REQUEST or SSH_MSG_CHANNEL_REQUEST (RFC 4254 §4 and §5.4) from its name on. */
export interface Request {
  readonly kind: string;
  readonly wantReply: boolean;
  readonly fields: Reader;
}

/** @param reader stands in front of the request's name */
function readRequest(reader: Reader): Request {
  return { kind: reader.readName(), wantReply: reader.readBoolean(), fields: reader };
}

function writeRequest(writer: Writer, kind: string, reply: "wanted" | "unwanted", fields: Uint8Array): Buffer {
  return writer
    .writeString(kind)
    .writeBoolean(reply === "wanted")
    .writeBytes(fields)
    .toBuffer();
}

const NO_FIELDS = Buffer.alloc(0);

/** SSH_MSG_GLOBAL_REQUEST (RFC 4254 §4). */
export function encodeGlobalRequest(
  kind: string,
  reply: "wanted" | "unwanted",
  fields: Uint8Array = NO_FIELDS,
): Buffer {
  return writeRequest(new Writer().writeByte(MessageNumber.GLOBAL_REQUEST), kind, reply, fields);
}

export function decodeGlobalRequest(payload: Buffer): Request {
  return readRequest(new Reader(payload, 1));
}

/** SSH_MSG_REQUEST_SUCCESS (RFC 4254 §4). */
export function encodeRequestSuccess(fields: Uint8Array = NO_FIELDS): Buffer {
  return new Writer(1 + fields.length).writeByte(MessageNumber.REQUEST_SUCCESS).writeBytes(fields).toBuffer();
}

/** The fields of the answer, which the request's name gives a meaning. */
export function decodeRequestSuccess(payload: Buffer): Buffer {
  return new Reader(payload, 1).readRest();
}

/** SSH_MSG_REQUEST_FAILURE (RFC 4254 §4). */
export function encodeRequestFailure(): Buffer {
  return Buffer.of(MessageNumber.REQUEST_FAILURE);
}

/** Checks that nothing stands behind the number. */
export function decodeRequestFailure(payload: Buffer): void {
  new Reader(payload, 1).end();
}

/** SSH_MSG_CHANNEL_REQUEST (RFC 4254 §5.4). */
export function encodeChannelRequest(
  recipientChannel: number,
  kind: string,
  reply: "wanted" | "unwanted",
  fields: Uint8Array = NO_FIELDS,
): Buffer {
  const writer = new Writer().writeByte(MessageNumber.CHANNEL_REQUEST).writeUint32(recipientChannel);
  return writeRequest(writer, kind, reply, fields);
}

export interface ChannelRequest extends Request {
  readonly recipientChannel: number;
}

export function decodeChannelRequest(payload: Buffer): ChannelRequest {
  const reader = new Reader(payload, 1);
  return { recipientChannel: reader.readUint32(), ...readRequest(reader) };
}
