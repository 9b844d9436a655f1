import { SpareBlocks } from "../../base/spare-blocks.js";
import { MAX_PACKET_LENGTH } from "./constants.js";

/** Bytes of a buffer for a packet with the 32 KiB of data that every client uses, and for the largest packet. */
const USUAL_LENGTH = 34 * 1024;
const LARGEST_LENGTH = MAX_PACKET_LENGTH + 1024;

/** Bytes of each size that are kept for reuse by all sessions of the process. */
const MAX_SPARE_BYTES = 4 * 1024 * 1024;

const usual = new SpareBlocks(USUAL_LENGTH, Math.floor(MAX_SPARE_BYTES / USUAL_LENGTH));
const largest = new SpareBlocks(LARGEST_LENGTH, Math.floor(MAX_SPARE_BYTES / LARGEST_LENGTH));

/** A packet that lies at the start of a buffer of the pool. */
export class PooledPacket {
  #buffer: Buffer | undefined;
  readonly bytes: Buffer;

  /** @param length of the packet, bytes */
  constructor(buffer: Buffer, length: number) {
    this.#buffer = buffer;
    this.bytes = buffer.subarray(0, length);
  }

  /** Gives the buffer back, unless it was kept: nobody may look at `bytes` any more. */
  release(): void {
    if (this.#buffer !== undefined) returnPacketBuffer(this.#buffer);
    this.#buffer = undefined;
  }

  /** Takes the buffer out of the pool for good: somebody may look at `bytes` as long as they like. */
  keep(): void {
    this.#buffer = undefined;
  }
}

/** A buffer of at least `length` bytes for one packet. Whatever it held before is still in it. */
export function takePacketBuffer(length: number): Buffer {
  if (length <= USUAL_LENGTH) return usual.take();
  if (length > LARGEST_LENGTH) throw new RangeError(`a packet has at most ${MAX_PACKET_LENGTH} bytes, not ${length}`);
  return largest.take();
}

export function returnPacketBuffer(buffer: Buffer): void {
  (buffer.length === USUAL_LENGTH ? usual : largest).giveBack(buffer);
}
