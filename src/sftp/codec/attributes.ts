import { FileError } from "../../files/errors.js";
import type { AttributeChanges, FileAttributes, FileType } from "../../files/file-system.js";
import type { Reader } from "../../protocol/reader.js";
import type { Writer } from "../../protocol/writer.js";
import { AttributeFlag } from "./constants.js";

/** The type bits of a POSIX mode (S_IFMT), which stand beside the permission bits on the wire. */
const typeBits: Readonly<Record<FileType, number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  fifo: 0o010000,
  socket: 0o140000,
  "character-device": 0o020000,
  "block-device": 0o060000,
  unknown: 0,
};

const PERMISSION_BITS = 0o7777;
const MAX_UINT32 = 0xffffffff;

/** Bytes of ATTRS as this server writes them. */
export const ATTRIBUTES_LENGTH = 32;

/** The mode of a file as stat(2) has it. */
export function toMode({ type, permissions }: FileAttributes): number {
  return typeBits[type] | (permissions & PERMISSION_BITS);
}

/** Writes ATTRS (draft-ietf-secsh-filexfer-02 §5). */
export function writeAttributes(writer: Writer, attributes: FileAttributes): void {
  const { SIZE, UIDGID, PERMISSIONS, ACMODTIME } = AttributeFlag;
  const size = Math.max(0, Math.trunc(attributes.size));
  writer
    .writeUint32(SIZE | UIDGID | PERMISSIONS | ACMODTIME)
    .writeUint32(Math.floor(size / 2 ** 32))
    .writeUint32(size % 2 ** 32)
    .writeUint32(toUint32(attributes.uid ?? 0))
    .writeUint32(toUint32(attributes.gid ?? 0))
    .writeUint32(toMode(attributes))
    .writeUint32(toUint32(attributes.accessTime))
    .writeUint32(toUint32(attributes.modifyTime));
}

/**
 * Reads ATTRS as a client sends them. This server knows no extended attributes: they are passed over.
 *
 * @throws {ProtocolError} when the bytes are not there
 * @throws {FileError} for a size that no file can have
 */
export function readAttributes(reader: Reader): AttributeChanges {
  const flags = reader.readUint32();
  const has = (flag: number) => (flags & flag) !== 0;
  const size = has(AttributeFlag.SIZE) ? readSize(reader) : undefined;
  const owner = has(AttributeFlag.UIDGID) ? { uid: reader.readUint32(), gid: reader.readUint32() } : undefined;
  const permissions = has(AttributeFlag.PERMISSIONS) ? reader.readUint32() & PERMISSION_BITS : undefined;
  const times = has(AttributeFlag.ACMODTIME)
    ? { accessTime: reader.readUint32(), modifyTime: reader.readUint32() }
    : undefined;
  if (has(AttributeFlag.EXTENDED)) {
    for (let count = reader.readUint32(); count > 0; count--) {
      reader.readString();
      reader.readString();
    }
  }
  return {
    ...(size !== undefined && { size }),
    ...(owner !== undefined && { owner }),
    ...(permissions !== undefined && { permissions }),
    ...(times !== undefined && { times }),
  };
}

/**
 * A size or an offset, bytes.
 *
 * @throws {FileError} for one that no file can have
 */
export function readSize(reader: Reader): number {
  const value = reader.readUint64();
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FileError("EFBIG");
  return Number(value);
}

function toUint32(value: number): number {
  return Math.min(MAX_UINT32, Math.max(0, Math.trunc(value))) || 0;
}
