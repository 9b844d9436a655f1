import type { Steps } from "../../base/time-slices.js";
import type { Reader } from "../../protocol/reader.js";
import { KeyError } from "../keys/key-error.js";
import { PKey } from "../pkey/pkey.js";
import { malformedKRL, passExtension, readCString, readSection, unknownSection } from "./krl-fields.js";
import { ANY_AUTHORITY, type RevocationEntries, setKey } from "./revocation-entries.js";
import { RevokedCertificates } from "./revoked-certificates.js";

const CertificateSection = {
  SERIAL_LIST: 0x20,
  SERIAL_RANGE: 0x21,
  SERIAL_BITMAP: 0x22,
  KEY_ID: 0x23,
  EXTENSION: 0x39,
} as const;

const SERIAL_MAXIMUM = 0xffff_ffff_ffff_ffffn;
/** Bytes, without zeros before: OpenSSH reads bitmaps as it does numbers, which end at 16384 bits. */
const BITMAP_MAXIMUM_LENGTH = 16384 / 8;
/** Each costs far more memory here than in the file. */
const AUTHORITIES_MAXIMUM = 4096;

/**
 * Reads a section of revoked certificates (PROTOCOL.krl §2), an entry a step.
 *
 * @throws {KeyError}
 * @throws {ProtocolError} when a length is wrong
 */
export function* readCertificatesSection(data: Reader, entries: RevocationEntries): Steps<void> {
  const authority = data.readString();
  // It is reserved, and OpenSSH ignores its contents.
  data.readString();
  const certificates = certificatesOf(authority, entries);
  while (data.remaining > 0) {
    const { type, data: subsection } = readSection(data);
    yield* readSubsection(type, subsection, certificates);
    subsection.end();
  }
}

function* readSubsection(type: number, data: Reader, certificates: RevokedCertificates): Steps<void> {
  yield;
  switch (type) {
    case CertificateSection.SERIAL_LIST:
      while (data.remaining > 0) {
        certificates.addSerial(checkSerial(data.readUint64()));
        yield;
      }
      return;
    case CertificateSection.SERIAL_RANGE: {
      const first = checkSerial(data.readUint64());
      const last = data.readUint64();
      if (last < first) throw malformedKRL("a range of serial numbers ends before it starts");
      certificates.addRange({ first, last });
      return;
    }
    case CertificateSection.SERIAL_BITMAP:
      readBitmap(data, certificates);
      return;
    case CertificateSection.KEY_ID:
      while (data.remaining > 0) {
        certificates.addKeyId(readCString(data));
        yield;
      }
      return;
    case CertificateSection.EXTENSION:
      passExtension(data);
      return;
    default:
      throw unknownSection(type);
  }
}

function readBitmap(data: Reader, certificates: RevokedCertificates): void {
  const start = data.readUint64();
  const bytes = bitmapBytes(data.readString());
  if (bytes.length === 0) return;
  const bits = bytes.length * 8 - (Math.clz32(bytes.readUInt8(0)) - 24);
  if (start + BigInt(bits - 1) > SERIAL_MAXIMUM) throw malformedKRL("a bitmap goes past the last serial number");
  const firstRevoked = (bytes.readUInt8(bytes.length - 1) & 1) === 1;
  if (firstRevoked) checkSerial(start);
  certificates.addBitmap({ start, bytes });
}

/** The magnitude of an mpint; unlike other mpints it may have any zeros before it. */
function bitmapBytes(mpint: Buffer): Buffer {
  const first = mpint[0] ?? 0;
  if (first & 0x80) throw malformedKRL("a bitmap of serial numbers is negative");
  const longest = first === 0 ? BITMAP_MAXIMUM_LENGTH + 1 : BITMAP_MAXIMUM_LENGTH;
  if (mpint.length > longest) {
    throw malformedKRL(`a bitmap has more than the ${BITMAP_MAXIMUM_LENGTH * 8} serial numbers that OpenSSH reads`);
  }
  const start = mpint.findIndex((byte) => byte !== 0);
  return start < 0 ? mpint.subarray(mpint.length) : mpint.subarray(start);
}

/** As OpenSSH: 0 stands for certificates that were given no number, and nobody means to revoke all of those by it. */
function checkSerial(serial: bigint): bigint {
  if (serial === 0n) throw malformedKRL("it revokes the serial number 0, which cannot be revoked");
  return serial;
}

/**
 * Authorities are compared by their bytes, so a key that is written otherwise than in a certificate would never be
 * found. One that is too weak to be used here does no harm.
 */
function checkAuthority(blob: Buffer): void {
  if (blob.length === 0) return;
  try {
    PKey.fromBlob(blob);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    if (error.code === "weak") return;
    const message = `the key revocation list names an authority whose key cannot be used: ${error.message}`;
    throw new KeyError(error.code, message, { cause: error });
  }
}

function certificatesOf(blob: Buffer, { certificates }: RevocationEntries): RevokedCertificates {
  const authority = setKey(blob);
  const existing = certificates.get(authority);
  if (existing !== undefined) return existing;
  checkAuthority(blob);
  if (authority !== ANY_AUTHORITY && certificates.size >= AUTHORITIES_MAXIMUM) {
    throw new KeyError("unsupported", `the key revocation list names more than ${AUTHORITIES_MAXIMUM} authorities`);
  }
  const created = new RevokedCertificates();
  certificates.set(authority, created);
  return created;
}
