import { MessageNumber } from "../constants.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** The channel that a message is for, which stands first in every message of a channel that is open. */
export function decodeRecipientChannel(payload: Buffer): number {
  return new Reader(payload, 1).readUint32();
}

/** SSH_MSG_CHANNEL_WINDOW_ADJUST (RFC 4254 §5.2). */
export function encodeWindowAdjust(recipientChannel: number, bytes: number): Buffer {
  return new Writer(9)
    .writeByte(MessageNumber.CHANNEL_WINDOW_ADJUST)
    .writeUint32(recipientChannel)
    .writeUint32(bytes)
    .toBuffer();
}

export function decodeWindowAdjust(payload: Buffer): { recipientChannel: number; bytes: number } {
  const reader = new Reader(payload, 1);
  const adjustment = { recipientChannel: reader.readUint32(), bytes: reader.readUint32() };
  reader.end();
  return adjustment;
}

/** The offset of the data in SSH_MSG_CHANNEL_DATA; its length stands in the four bytes before. */
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

export function decodeData(payload: Buffer): { recipientChannel: number; data: Buffer } {
  const reader = new Reader(payload, 1);
  const message = { recipientChannel: reader.readUint32(), data: reader.readString() };
  reader.end();
  return message;
}

export function decodeExtendedData(payload: Buffer): { recipientChannel: number; dataType: number; data: Buffer } {
  const reader = new Reader(payload, 1);
  const message = {
    recipientChannel: reader.readUint32(),
    dataType: reader.readUint32(),
    data: reader.readString(),
  };
  reader.end();
  return message;
}

/** The messages that have only a recipient: EOF, CLOSE, SUCCESS, FAILURE (RFC 4254 §5.3 and §5.4). */
export type ChannelMessageNumber =
  | typeof MessageNumber.CHANNEL_EOF
  | typeof MessageNumber.CHANNEL_CLOSE
  | typeof MessageNumber.CHANNEL_SUCCESS
  | typeof MessageNumber.CHANNEL_FAILURE;

export function encodeChannelMessage(messageNumber: ChannelMessageNumber, recipientChannel: number): Buffer {
  return new Writer(5).writeByte(messageNumber).writeUint32(recipientChannel).toBuffer();
}

/** The recipient channel, behind which nothing stands. */
export function decodeChannelMessage(payload: Buffer): number {
  const reader = new Reader(payload, 1);
  const recipientChannel = reader.readUint32();
  reader.end();
  return recipientChannel;
}
