import { encodeFields, type Field, Raw } from "../../../support/sftp-packets.js";

export const NOT_UTF8: Buffer = Buffer.from([0x61, 0xff, 0xfe, 0x62]);
export const YES: Raw = new Raw(Buffer.of(1));
export const NO: Raw = new Raw(Buffer.of(0));
/** Neither 0 nor 1: RFC 4251 §5 has all that is not 0 mean yes. */
export const TWO: Raw = new Raw(Buffer.of(2));

/** A message: texts and bytes with their length in front, numbers as uint32. */
export function message(number: number, ...fields: readonly Field[]): Buffer {
  return Buffer.concat([Buffer.of(number), encodeFields(...fields)]);
}

/** The payload with bytes behind it that nobody expects. */
export function withTail(payload: Buffer): Buffer {
  return Buffer.concat([payload, Buffer.from("tail")]);
}

/** The payload without its last bytes. */
export function cut(payload: Buffer, bytes = 1): Buffer {
  return payload.subarray(0, payload.length - bytes);
}
