import { PartedSet } from "./parted-set.js";
import type { RevocableCertificate } from "./revocable-key.js";
import type { SerialBitmap } from "./serial-bitmap.js";
import { type SerialRange, SerialSet } from "./serial-set.js";

/** What a set of serial numbers may hold, so that it does not take long to sort: a number is one, a byte of a bitmap an eighth. */
const SET_SIZE = 4096;

/** The cost of a range or a bitmap beside its bytes. */
const OBJECT_SIZE = 4;

/** The revoked certificates of one authority, or of any. */
export class RevokedCertificates {
  readonly #serials: SerialSet[] = [];
  readonly #keyIds = new PartedSet();
  #singles: bigint[] = [];
  #ranges: SerialRange[] = [];
  #bitmaps: SerialBitmap[] = [];
  #size = 0;

  addSerial(serial: bigint): void {
    this.#singles.push(serial);
    this.#added(1);
  }

  addRange(range: SerialRange): void {
    this.#ranges.push(range);
    this.#added(OBJECT_SIZE);
  }

  /** @param bitmap is not to be changed before `settle` */
  addBitmap(bitmap: SerialBitmap): void {
    this.#bitmaps.push(bitmap);
    this.#added(OBJECT_SIZE + bitmap.bytes.length / 8);
  }

  addKeyId(keyId: Buffer): void {
    this.#keyIds.add(textOfKeyId(keyId));
  }

  /** To be called when all was added. */
  settle(): void {
    if (this.#size === 0) return;
    this.#serials.push(new SerialSet({ singles: this.#singles, ranges: this.#ranges, bitmaps: this.#bitmaps }));
    this.#singles = [];
    this.#ranges = [];
    this.#bitmaps = [];
    this.#size = 0;
  }

  has({ serial, keyIdBytes }: RevocableCertificate): boolean {
    if (!this.#keyIds.isEmpty && this.#keyIds.has(textOfKeyId(cString(keyIdBytes)))) return true;
    // It is the number of a certificate to which its authority gave none.
    return serial !== 0n && this.#serials.some((serials) => serials.has(serial));
  }

  #added(size: number): void {
    this.#size += size;
    if (this.#size >= SET_SIZE) this.settle();
  }
}

/** OpenSSH reads a key ID as a string of C, whose one NUL at the end does not count. */
export function cString(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes;
}

/** Each byte as one character. */
function textOfKeyId(keyId: Buffer): string {
  return keyId.toString("latin1");
}
