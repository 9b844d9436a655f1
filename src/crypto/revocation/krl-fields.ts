import { Reader } from "../../protocol/reader.js";
import { KeyError } from "../keys/key-error.js";
import { printable } from "../keys/key-material.js";
import { cString } from "./revoked-certificates.js";

export interface KRLSection {
  readonly type: number;
  readonly data: Reader;
}

export function readSection(fields: Reader): KRLSection {
  const type = fields.readByte();
  return { type, data: new Reader(fields.readString()) };
}

/** A string without NUL, but for one at its end that OpenSSH takes for its terminator. */
export function readCString(fields: Reader): Buffer {
  const text = cString(fields.readString());
  if (text.includes(0)) throw malformedKRL("a text in it holds a NUL");
  return text;
}

/**
 * Reads an extension (PROTOCOL.krl §5): none is known here, so that one that must be understood refuses the list.
 *
 * @throws {KeyError} `unsupported`
 */
export function passExtension(data: Reader): void {
  const name = readCString(data).toString("latin1");
  const critical = data.readBoolean();
  data.readString();
  if (critical) {
    const message = `the key revocation list has the critical extension ${printable(name)}, which is not supported`;
    throw new KeyError("unsupported", message);
  }
}

export function unknownSection(type: number): KeyError {
  const hexadecimal = `0x${type.toString(16).padStart(2, "0")}`;
  return new KeyError("unsupported", `the key revocation list has a section of the unknown type ${hexadecimal}`);
}

export function malformedKRL(reason: string): KeyError {
  return new KeyError("malformed", `the key revocation list is malformed: ${reason}`);
}
