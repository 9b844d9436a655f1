const BLOCK_LENGTH = 16 * 1024;

/**
 * Packs small pieces of data that nobody reads yet into blocks. Each piece kept by itself would cost its buffer object
 * and the whole socket chunk it lies in: many times its own size.
 */
export class UnreadBlocks {
  #block: Buffer | undefined;
  #used = 0;

  /** Bytes in the block that is not full yet. */
  get length(): number {
    return this.#used;
  }

  /** Copies `data`; hands each block that is full to `emit`. */
  append(data: Buffer, emit: (block: Buffer) => void): void {
    let offset = 0;
    while (offset < data.length) {
      this.#block ??= Buffer.allocUnsafeSlow(BLOCK_LENGTH);
      const count = data.copy(this.#block, this.#used, offset);
      this.#used += count;
      offset += count;
      if (this.#used === BLOCK_LENGTH) this.flush(emit);
    }
  }

  /** Hands over what was appended since. */
  flush(emit: (block: Buffer) => void): void {
    const block = this.#block?.subarray(0, this.#used);
    this.#block = undefined;
    this.#used = 0;
    if (block !== undefined) emit(block);
  }
}
