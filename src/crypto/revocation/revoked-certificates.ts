import type { RevocableCertificate } from "./revocable-key.js";
import type { SerialBitmap } from "./serial-bitmap.js";
import { type SerialRange, SerialSet } from "./serial-set.js";

/** The sections of a list about the certificates of one authority, or of any. */
export interface CertificateEntries {
  readonly singles: bigint[];
  readonly ranges: SerialRange[];
  readonly bitmaps: SerialBitmap[];
  /** Each byte of a key ID as one character. */
  readonly keyIds: Set<string>;
}

/** The revoked certificates of one authority, or of any. */
export class RevokedCertificates {
  readonly #serials: SerialSet;
  readonly #keyIds: ReadonlySet<string>;

  constructor(entries: CertificateEntries) {
    this.#serials = new SerialSet(entries);
    this.#keyIds = entries.keyIds;
  }

  has({ serial, keyIdBytes }: RevocableCertificate): boolean {
    if (this.#keyIds.size > 0 && this.#keyIds.has(cString(keyIdBytes).toString("latin1"))) return true;
    // It is the number of a certificate to which its authority gave none.
    return serial !== 0n && this.#serials.has(serial);
  }
}

/** OpenSSH reads a key ID as a string of C, whose one NUL at the end does not count. */
export function cString(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes;
}
