import { timingSafeEqual } from "node:crypto";
import type { Credentials } from "./x11-request.js";

/** Bytes in front of the names and cookies of an X client's first message ("Connection Setup" of the X protocol). */
const HEAD_LENGTH = 12;
const MOST_SIGNIFICANT_FIRST = "B".charCodeAt(0);
const LEAST_SIGNIFICANT_FIRST = "l".charCodeAt(0);

/** The protocol whose data is the same for each connection: the cookie. Other data is for an X server to judge. */
export const COOKIE_PROTOCOL = "MIT-MAGIC-COOKIE-1";

/** Whether an X client has shown this in the first bytes that it sends; `undefined` where more of them are needed. */
export function showsCookie(bytes: Buffer, { protocol, data }: Credentials): boolean | undefined {
  if (bytes.length === 0) return undefined;
  const order = bytes[0];
  if (order !== MOST_SIGNIFICANT_FIRST && order !== LEAST_SIGNIFICANT_FIRST) return false;
  if (bytes.length < HEAD_LENGTH) return undefined;
  const lengthAt = (offset: number) =>
    order === MOST_SIGNIFICANT_FIRST ? bytes.readUInt16BE(offset) : bytes.readUInt16LE(offset);
  if (lengthAt(6) !== protocol.length || lengthAt(8) !== data.length) return false;
  const dataStart = HEAD_LENGTH + padded(protocol.length);
  const dataEnd = dataStart + data.length;
  if (bytes.length < dataEnd) return undefined;
  const name = bytes.toString("latin1", HEAD_LENGTH, HEAD_LENGTH + protocol.length);
  return name === protocol && timingSafeEqual(bytes.subarray(dataStart, dataEnd), data);
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
