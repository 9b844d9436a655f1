import { MAX_PACKET_LENGTH } from "./constants.js";

/** Sizes of buffers, bytes: a packet with the 32 KiB of data that every client uses, and the largest packet. */
const SIZES = [34 * 1024, MAX_PACKET_LENGTH + 1024] as const;

/** Bytes of each size that are kept for reuse by all sessions of the process. */
const MAX_SPARE_BYTES = 4 * 1024 * 1024;

const spare = new Map<number, Buffer[]>(SIZES.map((size) => [size, []]));

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
  const size = SIZES.find((candidate) => candidate >= length);
  if (size === undefined) throw new RangeError(`a packet has at most ${MAX_PACKET_LENGTH} bytes, not ${length}`);
  return spare.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
}

export function returnPacketBuffer(buffer: Buffer): void {
  const buffers = spare.get(buffer.length);
  if (buffers !== undefined && (buffers.length + 1) * buffer.length <= MAX_SPARE_BYTES) buffers.push(buffer);
}
