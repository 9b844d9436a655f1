/** Writes bits as DEFLATE has them: the lowest first (RFC 1951 §3.1.1). */
class BitWriter {
  readonly #bytes: number[] = [];
  #bits = 0;
  #count = 0;

  write(value: number, length: number): this {
    for (let index = 0; index < length; index++) {
      this.#bits |= ((value >>> index) & 1) << this.#count++;
      if (this.#count === 8) this.#flush();
    }
    return this;
  }

  toBuffer(): Buffer {
    if (this.#count > 0) this.#flush();
    return Buffer.from(this.#bytes);
  }

  #flush(): void {
    this.#bytes.push(this.#bits);
    this.#bits = 0;
    this.#count = 0;
  }
}

/** What a zlib stream begins with (RFC 1950 §2.2). */
export const ZLIB_HEADER = Buffer.from("789c", "hex");

/** A stored block (RFC 1951 §3.2.4), which may claim more than it has. */
export function storedBlock(data: Uint8Array, length = data.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(length, 1);
  head.writeUInt16LE(length ^ 0xffff, 3);
  return Buffer.concat([head, data]);
}

/** Blocks with the fixed code and nothing in them: 10 bits each. */
export function emptyFixedBlocks(count: number): Buffer {
  const writer = new BitWriter();
  for (let index = 0; index < count; index++) writer.write(0, 1).write(1, 2).write(0, 7);
  // An empty stored block starts on a byte of its own.
  writer.write(0, 3);
  return Buffer.concat([writer.toBuffer(), Buffer.from("0000ffff", "hex")]);
}

/** Where the lengths of the code for code lengths stand (RFC 1951 §3.2.7), as far as they are used here. */
const CODE_LENGTHS = 18;
const POSITION_OF_18 = 2;
const POSITION_OF_1 = 17;

/** Blocks that describe their own code and have nothing in them: 90 bits each, and tables to build for each. */
export function emptyDynamicBlocks(count: number): Buffer {
  const writer = new BitWriter();
  for (let index = 0; index < count; index++) {
    writer.write(0, 1).write(2, 2).write(0, 5).write(0, 5);
    writer.write(CODE_LENGTHS - 4, 4);
    for (let position = 0; position < CODE_LENGTHS; position++) {
      writer.write(position === POSITION_OF_18 || position === POSITION_OF_1 ? 1 : 0, 3);
    }
    // 138 and 118 zeros, a length of 1 for the end of the block and one for a distance.
    writer.write(1, 1).write(127, 7).write(1, 1).write(107, 7).write(0, 1).write(0, 1);
    writer.write(0, 1);
  }
  writer.write(0, 3);
  return Buffer.concat([writer.toBuffer(), Buffer.from("0000ffff", "hex")]);
}
