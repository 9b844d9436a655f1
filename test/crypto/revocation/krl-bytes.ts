import { Writer } from "../../../src/protocol/writer.js";

/** Section types of PROTOCOL.krl. */
export const CERTIFICATES = 1;
export const EXPLICIT_KEY = 2;
export const FINGERPRINT_SHA1 = 3;
export const SIGNATURE = 4;
export const FINGERPRINT_SHA256 = 5;
export const EXTENSION = 255;
export const SERIAL_LIST = 0x20;
export const SERIAL_RANGE = 0x21;
export const SERIAL_BITMAP = 0x22;
export const KEY_ID = 0x23;
export const CERTIFICATE_EXTENSION = 0x39;

/** The parts one after the other: a text or bytes as a string (RFC 4251 §5), a bigint as uint64. */
export function fields(...parts: readonly (string | Buffer | bigint)[]): Buffer {
  const writer = new Writer();
  for (const part of parts) {
    if (typeof part === "bigint") writer.writeUint64(part);
    else writer.writeString(part);
  }
  return writer.toBuffer();
}

export function section(type: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), fields(data)]);
}

/** A section of certificates; without an authority, those of any. */
export function certificates(subsections: readonly Buffer[], authority: Buffer = Buffer.alloc(0)): Buffer {
  return section(CERTIFICATES, Buffer.concat([fields(authority, ""), ...subsections]));
}

export function extension(name: string, critical: number, content = ""): Buffer {
  return Buffer.concat([fields(name), Buffer.from([critical]), fields(content)]);
}

export function krl(...sections: readonly Buffer[]): Buffer {
  return Buffer.concat([header(), ...sections]);
}

export function header(formatVersion = 1, comment = ""): Buffer {
  const version = Buffer.alloc(4);
  version.writeUInt32BE(formatVersion);
  return Buffer.concat([Buffer.from("SSHKRL\n\0", "latin1"), version, fields(1n, 1_700_000_000n, 0n, "", comment)]);
}
