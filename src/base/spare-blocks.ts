/**
 * Blocks of memory that are used again and again, by all connections of the process: new ones for each use would have to be
 * collected, which costs more than filling them.
 */
export class SpareBlocks {
  /** Bytes of each block. */
  readonly length: number;
  readonly #most: number;
  readonly #blocks: Buffer[] = [];

  /**
   * @param length of each block, bytes
   * @param most blocks that are kept while nobody uses them
   */
  constructor(length: number, most: number) {
    this.length = length;
    this.#most = most;
  }

  /** A block that nobody else has. Whatever it held before is still in it. */
  take(): Buffer {
    return this.#blocks.pop() ?? Buffer.allocUnsafeSlow(this.length);
  }

  /**
   * @param block that nobody uses any more; one of another length is left to the collection of garbage, and one that was given back
   *   before would be that of two connections at a time
   */
  giveBack(block: Buffer): void {
    if (block.length !== this.length || this.#blocks.length === this.#most || this.#blocks.includes(block)) return;
    this.#blocks.push(block);
  }
}
