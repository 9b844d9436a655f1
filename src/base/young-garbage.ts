/** Bytes from which on a buffer is large. */
const LARGE_LENGTH = 8 * 1024;

/** Bytes of an array's element. */
const ELEMENT_LENGTH = 8;

/** V8 would leave out an allocation that nothing can see, so the latest one is kept here. */
export const youngGarbage: { latest: readonly unknown[] } = { latest: [] };

/**
 * To be called for each buffer that is made by the packet and will soon be garbage.
 *
 * V8 collects its young objects, cheaply, when there are many of them; the memory behind buffers does not count. A server that moves
 * data makes large buffers and hardly any objects, and so meets another limit first, that on all memory outside the heap, which makes
 * V8 mark the whole heap every 30 MB. An array of a quarter of the buffer's length, garbage at once, keeps the cheap collections
 * coming and with them the buffers going: of each GiB, 50 of the young objects instead of 35 of the whole heap (Node.js 24 and 26).
 * Longer arrays cost more collections than needed, and shorter ones come too late.
 */
export function accompanyBuffer(length: number): void {
  if (length < LARGE_LENGTH) return;
  youngGarbage.latest = new Array(Math.trunc(length / 4 / ELEMENT_LENGTH));
}
