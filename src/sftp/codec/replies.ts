import type { FileAttributes } from "../../files/file-system.js";
import { encodeName } from "../../files/path.js";
import { Writer } from "../../protocol/writer.js";
import { ATTRIBUTES_LENGTH, writeAttributes } from "./attributes.js";
import { PacketType, StatusCode } from "./constants.js";

// Replies of draft-ietf-secsh-filexfer-02 §7, whole: their length in front.

const LENGTH_FIELD = 4;

/** Bytes in front of the data of SSH_FXP_DATA: length, type, request id, length of the data. */
export const DATA_HEAD_LENGTH = 13;

const OK_TEXT = "Success";

export function encodeVersion(version: number, extensions: ReadonlyMap<string, string>): Buffer {
  const writer = start(PacketType.VERSION).writeUint32(version);
  for (const [name, data] of extensions) writer.writeString(name).writeString(data);
  return finish(writer);
}

export function encodeStatus(id: number, code: StatusCode, message: string): Buffer {
  return finish(startReply(PacketType.STATUS, id).writeUint32(code).writeString(message).writeString("en"));
}

export function encodeOk(id: number): Buffer {
  return encodeStatus(id, StatusCode.OK, OK_TEXT);
}

export function encodeHandle(id: number, handle: Buffer): Buffer {
  return finish(startReply(PacketType.HANDLE, id).writeString(handle));
}

export function encodeAttributes(id: number, attributes: FileAttributes): Buffer {
  const writer = startReply(PacketType.ATTRS, id);
  writeAttributes(writer, attributes);
  return finish(writer);
}

/** A name that stands alone: the answer to REALPATH and READLINK. */
export function encodePath(id: number, path: string): Buffer {
  const name = encodeName(path);
  const noAttributes = 0;
  return finish(
    startReply(PacketType.NAME, id).writeUint32(1).writeString(name).writeString(name).writeUint32(noAttributes),
  );
}

/** Bytes of one SSH_FXP_NAME: it fits into one packet of SSH, and old clients take no more than 34,000 bytes. */
export const MAX_NAMES_LENGTH = 32 * 1024;

/** Bytes in front of the entries: length, type, request id, the number of entries. */
const NAMES_HEAD_LENGTH = 13;

/** SSH_FXP_NAME with the entries of a directory, written as they are found. */
export class NamesReply {
  readonly #writer = startReply(PacketType.NAME, 0, MAX_NAMES_LENGTH).writeUint32(0);
  #length = NAMES_HEAD_LENGTH;
  #count = 0;

  /** The number of entries. */
  get count(): number {
    return this.#count;
  }

  /**
   * @param longnameHead what `ls -l` would print before the name
   * @returns whether there was room for the entry; there is for any that is the first
   */
  add(entry: string, longnameHead: string, attributes: FileAttributes): boolean {
    const name = encodeName(entry);
    const headLength = Buffer.byteLength(longnameHead);
    const length = 4 + name.length + 4 + headLength + name.length + ATTRIBUTES_LENGTH;
    if (this.#count > 0 && this.#length + length > MAX_NAMES_LENGTH) return false;
    this.#length += length;
    this.#count++;
    const writer = this.#writer.writeString(name).writeUint32(headLength + name.length);
    writer.writeText(longnameHead, headLength).writeBytes(name);
    writeAttributes(writer, attributes);
    return true;
  }

  /** The packet, when no more entries come. */
  encode(id: number): Buffer {
    const packet = finish(this.#writer);
    packet.writeUInt32BE(id, 5);
    packet.writeUInt32BE(this.#count, 9);
    return packet;
  }
}

export function encodeExtendedReply(id: number, write: (writer: Writer) => void): Buffer {
  const writer = startReply(PacketType.EXTENDED_REPLY, id);
  write(writer);
  return finish(writer);
}

/** Writes the head of SSH_FXP_DATA in front of `length` bytes that lie in `packet` already. */
export function setDataHead(packet: Buffer, id: number, length: number): void {
  packet.writeUInt32BE(DATA_HEAD_LENGTH - LENGTH_FIELD + length, 0);
  packet[LENGTH_FIELD] = PacketType.DATA;
  packet.writeUInt32BE(id, 5);
  packet.writeUInt32BE(length, 9);
}

function startReply(type: PacketType, id: number, capacity?: number): Writer {
  return start(type, capacity).writeUint32(id);
}

function start(type: PacketType, capacity = 128): Writer {
  return new Writer(capacity).writeUint32(0).writeByte(type);
}

function finish(writer: Writer): Buffer {
  const packet = writer.toBuffer();
  packet.writeUInt32BE(packet.length - LENGTH_FIELD, 0);
  return packet;
}
