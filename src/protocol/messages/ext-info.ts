import { MessageNumber } from "../constants.js";
import { Reader } from "../reader.js";
import { Writer } from "../writer.js";

/** SSH_MSG_EXT_INFO (RFC 8308 §2.3): extension names with their values. */
export function encodeExtInfo(extensions: ReadonlyMap<string, Uint8Array | string>): Buffer {
  const writer = new Writer().writeByte(MessageNumber.EXT_INFO).writeUint32(extensions.size);
  for (const [name, value] of extensions) writer.writeString(name).writeString(value);
  return writer.toBuffer();
}

/** The last value counts where a name has two. */
export function decodeExtInfo(payload: Buffer): Map<string, Buffer> {
  const reader = new Reader(payload, 1);
  const count = reader.readUint32();
  const extensions = new Map<string, Buffer>();
  for (let index = 0; index < count; index++) extensions.set(reader.readText(), reader.readString());
  reader.end();
  return extensions;
}
