import { MessageNumber } from "../constants.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** SSH_MSG_CHANNEL_OPEN (RFC 4254 §5.1). */
export interface ChannelOpen {
  readonly kind: string;
  readonly senderChannel: number;
  readonly initialWindowSize: number;
  readonly maximumPacketSize: number;
  /** The fields of this kind of channel. */
  readonly fields: Buffer;
}

export function decodeChannelOpen(payload: Buffer): ChannelOpen {
  const reader = new Reader(payload, 1);
  return {
    kind: reader.readName(),
    senderChannel: reader.readUint32(),
    initialWindowSize: reader.readUint32(),
    maximumPacketSize: reader.readUint32(),
    fields: reader.readRest(),
  };
}

export function encodeChannelOpenConfirmation(
  recipientChannel: number,
  senderChannel: number,
  initialWindowSize: number,
  maximumPacketSize: number,
): Buffer {
  return new Writer(32)
    .writeByte(MessageNumber.CHANNEL_OPEN_CONFIRMATION)
    .writeUint32(recipientChannel)
    .writeUint32(senderChannel)
    .writeUint32(initialWindowSize)
    .writeUint32(maximumPacketSize)
    .toBuffer();
}

export function encodeChannelOpenFailure(recipientChannel: number, reason: number, description: string): Buffer {
  return new Writer()
    .writeByte(MessageNumber.CHANNEL_OPEN_FAILURE)
    .writeUint32(recipientChannel)
    .writeUint32(reason)
    .writeString(description)
    .writeString("")
    .toBuffer();
}

/** SSH_MSG_CHANNEL_WINDOW_ADJUST (RFC 4254 §5.2). */
export function encodeWindowAdjust(recipientChannel: number, bytes: number): Buffer {
  return new Writer(9)
    .writeByte(MessageNumber.CHANNEL_WINDOW_ADJUST)
    .writeUint32(recipientChannel)
    .writeUint32(bytes)
    .toBuffer();
}

/** Where the data of SSH_MSG_CHANNEL_DATA begins; its length stands in the four bytes before. */
const DATA_HEAD_LENGTH = 9;
const EXTENDED_DATA_HEAD_LENGTH = 13;

/** All of SSH_MSG_CHANNEL_DATA but the data (RFC 4254 §5.2). */
export function encodeDataHead(recipientChannel: number): Buffer {
  const head = Buffer.alloc(DATA_HEAD_LENGTH);
  head[0] = MessageNumber.CHANNEL_DATA;
  head.writeUInt32BE(recipientChannel, 1);
  return head;
}

/** All of SSH_MSG_CHANNEL_EXTENDED_DATA but the data (RFC 4254 §5.2). */
export function encodeExtendedDataHead(recipientChannel: number, dataType: number): Buffer {
  const head = Buffer.alloc(EXTENDED_DATA_HEAD_LENGTH);
  head[0] = MessageNumber.CHANNEL_EXTENDED_DATA;
  head.writeUInt32BE(recipientChannel, 1);
  head.writeUInt32BE(dataType, 5);
  return head;
}

/** Sets the length of the data that follows a head. */
export function setDataLength(head: Buffer, length: number): void {
  head.writeUInt32BE(length, head.length - 4);
}

/** A message that has only a recipient: EOF, CLOSE, SUCCESS, FAILURE (RFC 4254 §5.3 and §5.4). */
export function encodeChannelMessage(messageNumber: number, recipientChannel: number): Buffer {
  return new Writer(5).writeByte(messageNumber).writeUint32(recipientChannel).toBuffer();
}

/** SSH_MSG_CHANNEL_REQUEST `exit-status` (RFC 4254 §6.10). */
export function encodeExitStatus(recipientChannel: number, status: number): Buffer {
  return new Writer(32)
    .writeByte(MessageNumber.CHANNEL_REQUEST)
    .writeUint32(recipientChannel)
    .writeString("exit-status")
    .writeBoolean(false)
    .writeUint32(status)
    .toBuffer();
}

export interface ExitSignal {
  /** Name without SIG: `TERM`, `KILL`, … */
  readonly name: string;
  readonly coreDumped: boolean;
  readonly message: string;
}

/** SSH_MSG_CHANNEL_REQUEST `exit-signal` (RFC 4254 §6.10). */
export function encodeExitSignal(recipientChannel: number, signal: ExitSignal): Buffer {
  return new Writer()
    .writeByte(MessageNumber.CHANNEL_REQUEST)
    .writeUint32(recipientChannel)
    .writeString("exit-signal")
    .writeBoolean(false)
    .writeString(signal.name)
    .writeBoolean(signal.coreDumped)
    .writeString(signal.message)
    .writeString("")
    .toBuffer();
}

/** SSH_MSG_CHANNEL_REQUEST or SSH_MSG_GLOBAL_REQUEST (RFC 4254 §5.4 and §4) from its name on. */
export interface Request {
  readonly kind: string;
  readonly wantReply: boolean;
  readonly fields: Reader;
}

/** @param reader stands in front of the request's name */
export function decodeRequest(reader: Reader): Request {
  return { kind: reader.readName(), wantReply: reader.readBoolean(), fields: reader };
}

/** SSH_MSG_GLOBAL_REQUEST (RFC 4254 §4). */
export function encodeGlobalRequest(kind: string, reply: "wanted" | "unwanted", fields?: Uint8Array): Buffer {
  const writer = new Writer()
    .writeByte(MessageNumber.GLOBAL_REQUEST)
    .writeString(kind)
    .writeBoolean(reply === "wanted");
  return (fields === undefined ? writer : writer.writeBytes(fields)).toBuffer();
}

/** SSH_MSG_REQUEST_SUCCESS (RFC 4254 §4). */
export function encodeRequestSuccess(fields?: Uint8Array): Buffer {
  const writer = new Writer(16).writeByte(MessageNumber.REQUEST_SUCCESS);
  return (fields === undefined ? writer : writer.writeBytes(fields)).toBuffer();
}

/** SSH_MSG_REQUEST_FAILURE (RFC 4254 §4). */
export function encodeRequestFailure(): Buffer {
  return Buffer.of(MessageNumber.REQUEST_FAILURE);
}
