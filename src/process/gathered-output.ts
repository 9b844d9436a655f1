import { SpareBlocks } from "../base/spare-blocks.js";

/** Bytes that go out at once: a full packet. */
const FULL = 32 * 1024;

/** Milliseconds that bytes wait at most, and in which a full packet has to come for others to wait for the next. */
const WAITING_TIME = 1;

const blocks = new SpareBlocks(2 * FULL, 32);

/**
 * A fast program's output, in full packets. The reader of the output often interrupts such a program after a few KiB; a packet
 * for each of these pieces would cost more than all else. Slower output is handed on at once.
 */
export class GatheredOutput {
  readonly #hand: (bytes: Uint8Array) => void;
  #block: Buffer | undefined;
  #length = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the count began, milliseconds, and the bytes since. */
  #countedSince = 0;
  #count = 0;
  #isFast = false;

  /** @param hand gets the output in memory that may be overwritten afterwards */
  constructor(hand: (bytes: Uint8Array) => void) {
    this.#hand = hand;
  }

  /** @param bytes that may be overwritten afterwards */
  add(bytes: Uint8Array): void {
    this.#measure(bytes.length);
    if (this.#length + bytes.length > blocks.length) this.flush();
    if (this.#length === 0 && (bytes.length >= FULL || !this.#isFast)) {
      this.#hand(bytes);
      return;
    }
    this.#block ??= blocks.take();
    this.#block.set(bytes, this.#length);
    this.#length += bytes.length;
    if (this.#length >= FULL) this.flush();
    else this.#timer ??= setTimeout(this.flush, WAITING_TIME);
  }

  /** Hands on what waits. */
  readonly flush = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const block = this.#block;
    if (block === undefined) return;
    const bytes = block.subarray(0, this.#length);
    this.#block = undefined;
    this.#length = 0;
    this.#hand(bytes);
    blocks.giveBack(block);
  };

  #measure(length: number): void {
    const now = performance.now();
    this.#count += length;
    if (now - this.#countedSince < WAITING_TIME) {
      this.#isFast ||= this.#count >= FULL;
      return;
    }
    this.#isFast = this.#count >= FULL;
    this.#countedSince = now;
    this.#count = 0;
  }
}
