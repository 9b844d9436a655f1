/** Bytes from which on a packet's buffers are large. */
const LARGE_PACKET_LENGTH = 8 * 1024;

/** Bytes of the largest array: V8 keeps those from 128 KiB on elsewhere, and each of them costs a millisecond. */
const MAX_ARRAY_LENGTH = 64 * 1024;

/** Bytes of an array's element. */
const ELEMENT_LENGTH = 8;

/** V8 would leave out an allocation that nothing can see, so the latest one is kept here. */
export const youngGarbage: { latest: readonly unknown[] } = { latest: [] };

/**
 * To be called for each packet that was received: the buffers that it came in, and was decrypted to, will soon be
 * garbage.
 *
 * V8 collects its young objects, cheaply, when there are many of them; the memory behind buffers does not count. A
 * server that moves data makes large buffers and hardly any objects, and so meets another limit first, that on all
 * memory outside the heap, which makes V8 mark the whole heap every 20 MB. An array as large as the packet, garbage at
 * once, keeps the cheap collections coming and with them the buffers going. It takes a quarter off the CPU time of a busy
 * server with Node.js 20, 22 and 26 and a sixth with 24: of each GiB, about 100 collections of the whole heap become
 * fewer than 10 (see `npm run bench`).
 */
export function accompanyPacket(length: number): void {
  if (length < LARGE_PACKET_LENGTH) return;
  youngGarbage.latest = new Array(Math.trunc(Math.min(length, MAX_ARRAY_LENGTH) / ELEMENT_LENGTH));
}
