import { InvalidTextError, ProtocolError } from "./errors.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the data types of RFC 4251 §5 from a buffer. Every length is checked against the bytes that are there before
 * it is used. Byte results are views of the buffer, not copies.
 *
 * @throws {ProtocolError} from every method, when the bytes do not hold what was asked for
 */
export class Reader {
  readonly #bytes: Buffer;
  #offset: number;

  constructor(bytes: Buffer, offset = 0) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  /** Another reader of what is not read yet. */
  copy(): Reader {
    return new Reader(this.#bytes, this.#offset);
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Position of the next byte to read. */
  get offset(): number {
    return this.#offset;
  }

  readByte(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  readBoolean(): boolean {
    return this.readByte() !== 0;
  }

  readUint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  readUint64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8));
  }

  /** Exactly `length` bytes. */
  readBytes(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  readString(): Buffer {
    return this.readBytes(this.readUint32());
  }

  /** @throws {InvalidTextError} when the string is not UTF-8 */
  readText(): string {
    const bytes = this.readString();
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw new InvalidTextError("a text is not UTF-8", undefined, { cause });
    }
  }

  /** A text that only people read: what is not UTF-8 in it becomes U+FFFD. */
  readDescription(): string {
    return this.readString().toString("utf8");
  }

  /** A name (RFC 4251 §6), to be compared with known ones: a byte outside US-ASCII is a character of Latin-1. */
  readName(): string {
    return this.readString().toString("latin1");
  }

  /**
   * Comma-separated printable US-ASCII names (RFC 4251 §5 and §6). Two things that RFC 4251 forbids are taken, as sshd
   * takes them: empty names, which are dropped (libssh up to 0.10 ends its list of ciphers in a comma), and spaces.
   */
  readNameList(): string[] {
    const text = this.readName();
    if (!/^[\x20-\x7e]*$/.test(text)) throw new ProtocolError("a name-list holds characters outside US-ASCII");
    return text.split(",").filter((name) => name !== "");
  }

  /**
   * The magnitude of an mpint that must be positive or zero, without leading zero bytes.
   * Negative values and encodings with unnecessary leading bytes are refused (RFC 4251 §5).
   */
  readMpint(): Buffer {
    const bytes = this.readString();
    const first = bytes[0];
    if (first === undefined) return bytes;
    if (first & 0x80) throw new ProtocolError("an mpint is negative");
    if (first !== 0) return bytes;
    const second = bytes[1];
    if (second === undefined || !(second & 0x80)) throw new ProtocolError("an mpint has unnecessary leading bytes");
    return bytes.subarray(1);
  }

  /** Everything that is left. */
  readRest(): Buffer {
    return this.readBytes(this.remaining);
  }

  /** Checks that nothing is left. */
  end(): void {
    if (this.remaining !== 0) throw new ProtocolError(`${this.remaining} unexpected bytes at the end`);
  }

  #take(length: number): number {
    if (length > this.remaining) {
      throw new ProtocolError(`${length} bytes expected where ${this.remaining} are left`);
    }
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
