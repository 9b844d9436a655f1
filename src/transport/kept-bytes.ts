import { SpareBlocks } from "../base/spare-blocks.js";

/** Bytes of a block: room for a packet with 32 KiB of data. */
const BLOCK_LENGTH = 36 * 1024;

/** Bytes from which on a whole block is taken for the packet that they begin. */
const LARGE_PART = 4 * 1024;

const blocks = new SpareBlocks(BLOCK_LENGTH, 32);

const NOTHING = Buffer.alloc(0);

/** Received bytes that wait for more, in one piece of memory. It grows with what has come, not with what was announced. */
export class KeptBytes {
  #memory: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  /** Some of the memory was taken, and is still used. */
  #isLent = false;

  get length(): number {
    return this.#end - this.#start;
  }

  /** @param packetLength of the packet that the bytes belong to, or less */
  add(bytes: Buffer, packetLength: number): void {
    const needed = this.length + bytes.length;
    if (this.#start + needed > this.#memory.length) this.#move(needed, packetLength);
    bytes.copy(this.#memory, this.#end);
    this.#end += bytes.length;
  }

  /** The first bytes; as many have to be there. */
  peek(length: number): Buffer {
    return this.#memory.subarray(this.#start, this.#start + length);
  }

  /** Takes the first bytes, which are lent until `release`. */
  take(length: number): Buffer {
    const bytes = this.peek(length);
    this.#start += length;
    this.#isLent = true;
    return bytes;
  }

  /** What was taken is not needed any more. */
  release(): void {
    this.#isLent = false;
    if (this.#start < this.#end || this.#end === 0) return;
    blocks.giveBack(this.#memory);
    this.#memory = NOTHING;
    this.#start = 0;
    this.#end = 0;
  }

  /** To memory with room for `needed` bytes. */
  #move(needed: number, packetLength: number): void {
    const present = this.#memory.subarray(this.#start, this.#end);
    const memory = roomFor(needed, present.length, packetLength);
    present.copy(memory);
    if (!this.#isLent) blocks.giveBack(this.#memory);
    this.#isLent = false;
    this.#memory = memory;
    this.#start = 0;
    this.#end = present.length;
  }
}

function roomFor(needed: number, present: number, packetLength: number): Buffer {
  if (needed >= LARGE_PART && needed <= BLOCK_LENGTH) return blocks.take();
  // A packet needs no more than its own length; what follows it is not known.
  const most = packetLength > needed ? packetLength : Number.POSITIVE_INFINITY;
  return Buffer.allocUnsafeSlow(Math.max(needed, Math.min(2 * present, most)));
}
