import { Reader } from "../../src/protocol/reader.js";
import { PacketType, type StatusCode } from "../../src/sftp/codec/constants.js";

/** Bytes that stand in a packet as they are. */
export class Raw {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Texts and bytes with their length in front, numbers as uint32, bigints as uint64, `Raw` as it is. */
export type Field = string | Uint8Array | number | bigint | Raw;

export function encodeField(field: Field): Buffer {
  if (field instanceof Raw) return Buffer.from(field.bytes);
  if (typeof field === "number") {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(field);
    return bytes;
  }
  if (typeof field === "bigint") {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(field);
    return bytes;
  }
  const content = Buffer.from(field);
  return Buffer.concat([encodeField(content.length), content]);
}

export function encodeFields(...fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(encodeField));
}

/** Bytes with their length in front; `length` makes it lie. */
export function packet(body: Uint8Array, length = body.length): Buffer {
  return Buffer.concat([encodeField(length), body]);
}

/** A request, its length in front. */
export function request(type: number, id: number, ...fields: readonly Field[]): Buffer {
  return packet(encodeFields(new Raw(Buffer.of(type)), id, ...fields));
}

export function extended(id: number, name: string, ...fields: readonly Field[]): Buffer {
  return request(PacketType.EXTENDED, id, name, ...fields);
}

export function init(version = 3): Buffer {
  return request(PacketType.INIT, version);
}

export interface AttributeFields {
  readonly size?: bigint;
  readonly owner?: readonly [uid: number, gid: number];
  readonly permissions?: number;
  readonly times?: readonly [access: number, modify: number];
  readonly extended?: readonly (readonly [type: string, data: string])[];
}

/** ATTRS (draft-ietf-secsh-filexfer-02 §5). */
export function attributes(fields: AttributeFields = {}): Raw {
  const { size, owner, permissions, times, extended: pairs } = fields;
  let flags = 0;
  const parts: Field[] = [];
  const add = (flag: number, ...values: readonly Field[]) => {
    flags += flag;
    parts.push(...values);
  };
  if (size !== undefined) add(0x1, size);
  if (owner !== undefined) add(0x2, ...owner);
  if (permissions !== undefined) add(0x4, permissions);
  if (times !== undefined) add(0x8, ...times);
  if (pairs !== undefined) add(0x8000_0000, pairs.length, ...pairs.flat());
  return new Raw(encodeFields(flags, ...parts));
}

export const NO_ATTRIBUTES = attributes();

/** What the server sent. */
export interface Reply {
  readonly type: number;
  /** The version, in SSH_FXP_VERSION. */
  readonly id: number;
  /** What comes behind the request id. */
  readonly body: Buffer;
  /** All of it, its length in front. */
  readonly bytes: Buffer;
}

/** @param bytes a packet, its length in front */
export function readReply(bytes: Buffer): Reply {
  return { type: bytes.readUInt8(4), id: bytes.readUInt32BE(5), body: bytes.subarray(9), bytes };
}

export interface Status {
  readonly code: StatusCode;
  readonly message: string;
}

export function readStatus(reply: Reply): Status {
  const fields = readerOf(reply, PacketType.STATUS);
  const code: StatusCode = fields.readUint32();
  const message = fields.readText();
  if (fields.readText() !== "en") throw new Error("a status in another language");
  fields.end();
  return { code, message };
}

export function readHandle(reply: Reply): Buffer {
  const fields = readerOf(reply, PacketType.HANDLE);
  const handle = fields.readString();
  fields.end();
  return handle;
}

export function readData(reply: Reply): Buffer {
  const fields = readerOf(reply, PacketType.DATA);
  const data = fields.readString();
  fields.end();
  return data;
}

export interface Attributes {
  readonly size: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly accessTime: number;
  readonly modifyTime: number;
}

function readAllAttributes(fields: Reader): Attributes {
  const flags = fields.readUint32();
  if (flags !== 0xf) throw new Error(`attributes with flags ${flags}`);
  return {
    size: fields.readUint64(),
    uid: fields.readUint32(),
    gid: fields.readUint32(),
    mode: fields.readUint32(),
    accessTime: fields.readUint32(),
    modifyTime: fields.readUint32(),
  };
}

export function readAttributes(reply: Reply): Attributes {
  const fields = readerOf(reply, PacketType.ATTRS);
  const result = readAllAttributes(fields);
  fields.end();
  return result;
}

export interface Name {
  readonly name: Buffer;
  readonly longname: Buffer;
  readonly attributes: Attributes;
}

export function readNames(reply: Reply): Name[] {
  const fields = readerOf(reply, PacketType.NAME);
  const names: Name[] = [];
  for (let count = fields.readUint32(); count > 0; count--) {
    names.push({ name: fields.readString(), longname: fields.readString(), attributes: readAllAttributes(fields) });
  }
  fields.end();
  return names;
}

/** The name that answers REALPATH and READLINK. */
export function readPath(reply: Reply): string {
  const fields = readerOf(reply, PacketType.NAME);
  const count = fields.readUint32();
  const name = fields.readString();
  const longname = fields.readString();
  const flags = fields.readUint32();
  fields.end();
  if (count !== 1 || flags !== 0 || !longname.equals(name)) throw new Error("no single name without attributes");
  return name.toString("utf8");
}

/** What the server announces: data by name. */
export function readExtensions(reply: Reply): Map<string, string> {
  const fields = new Reader(reply.body);
  const extensions = new Map<string, string>();
  while (fields.remaining > 0) extensions.set(fields.readText(), fields.readText());
  return extensions;
}

export function readerOf(reply: Reply, type: PacketType): Reader {
  if (reply.type === type) return new Reader(reply.body);
  const status = reply.type === PacketType.STATUS ? ` (${new Reader(reply.body, 8).readRest()})` : "";
  throw new Error(`${PacketType[reply.type]}${status} came where ${PacketType[type]} was expected`);
}
