/** Writes the data types of RFC 4251 §5 into a buffer that grows. For messages; channel data takes its own path. */
export class Writer {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  writeByte(value: number): this {
    this.#length = this.#room(1).writeUInt8(value, this.#length);
    return this;
  }

  writeBoolean(value: boolean): this {
    return this.writeByte(value ? 1 : 0);
  }

  writeUint32(value: number): this {
    this.#length = this.#room(4).writeUInt32BE(value, this.#length);
    return this;
  }

  writeUint64(value: bigint): this {
    this.#length = this.#room(8).writeBigUInt64BE(value, this.#length);
    return this;
  }

  /** Bytes without a length in front. */
  writeBytes(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /**
   * A text as UTF-8 without a length in front.
   *
   * @param length bytes that it has as UTF-8
   */
  writeText(text: string, length: number): this {
    this.#length += this.#room(length).write(text, this.#length, length, "utf8");
    return this;
  }

  /** Bytes, or a text as UTF-8, with their length in front. */
  writeString(value: Uint8Array | string): this {
    const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
    return this.writeUint32(bytes.length).writeBytes(bytes);
  }

  writeNameList(names: readonly string[]): this {
    return this.writeString(names.join(","));
  }

  /** A positive integer given by its big-endian magnitude; leading zero bytes are allowed and removed. */
  writeMpint(magnitude: Uint8Array): this {
    let start = 0;
    while (start < magnitude.length && magnitude[start] === 0) start++;
    const bytes = magnitude.subarray(start);
    const first = bytes[0] ?? 0;
    if (first & 0x80)
      return this.writeUint32(bytes.length + 1)
        .writeByte(0)
        .writeBytes(bytes);
    return this.writeUint32(bytes.length).writeBytes(bytes);
  }

  /** The bytes written so far, as a view. */
  toBuffer(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(size: number): Buffer {
    const needed = this.#length + size;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    return this.#bytes;
  }
}
