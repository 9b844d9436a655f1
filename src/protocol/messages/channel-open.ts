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

export function encodeChannelOpen(open: ChannelOpen): Buffer {
  return new Writer()
    .writeByte(MessageNumber.CHANNEL_OPEN)
    .writeString(open.kind)
    .writeUint32(open.senderChannel)
    .writeUint32(open.initialWindowSize)
    .writeUint32(open.maximumPacketSize)
    .writeBytes(open.fields)
    .toBuffer();
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

/** SSH_MSG_CHANNEL_OPEN_CONFIRMATION (RFC 4254 §5.1). */
export interface ChannelOpenConfirmation {
  readonly recipientChannel: number;
  readonly senderChannel: number;
  readonly initialWindowSize: number;
  readonly maximumPacketSize: number;
  /** The fields of this kind of channel. The kinds of RFC 4254 have no fields here. */
  readonly fields: Buffer;
}

export function encodeChannelOpenConfirmation(confirmation: ChannelOpenConfirmation): Buffer {
  return new Writer(32)
    .writeByte(MessageNumber.CHANNEL_OPEN_CONFIRMATION)
    .writeUint32(confirmation.recipientChannel)
    .writeUint32(confirmation.senderChannel)
    .writeUint32(confirmation.initialWindowSize)
    .writeUint32(confirmation.maximumPacketSize)
    .writeBytes(confirmation.fields)
    .toBuffer();
}

export function decodeChannelOpenConfirmation(payload: Buffer): ChannelOpenConfirmation {
  const reader = new Reader(payload, 1);
  return {
    recipientChannel: reader.readUint32(),
    senderChannel: reader.readUint32(),
    initialWindowSize: reader.readUint32(),
    maximumPacketSize: reader.readUint32(),
    fields: reader.readRest(),
  };
}

/** SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254 §5.1), without the language, which nobody uses. */
export interface ChannelOpenFailure {
  readonly recipientChannel: number;
  readonly reason: number;
  readonly description: string;
}

export function encodeChannelOpenFailure(failure: ChannelOpenFailure): Buffer {
  return new Writer()
    .writeByte(MessageNumber.CHANNEL_OPEN_FAILURE)
    .writeUint32(failure.recipientChannel)
    .writeUint32(failure.reason)
    .writeString(failure.description)
    .writeString("")
    .toBuffer();
}

export function decodeChannelOpenFailure(payload: Buffer): ChannelOpenFailure {
  const reader = new Reader(payload, 1);
  const failure = {
    recipientChannel: reader.readUint32(),
    reason: reader.readUint32(),
    description: reader.readDescription(),
  };
  reader.readString();
  reader.end();
  return failure;
}
