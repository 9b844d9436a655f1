import { getHeapSpaceStatistics } from "node:v8";

const MIB = 1024 * 1024;

/**
 * Bytes of buffers that are made between two collections of young objects. From 64 MiB on V8 marks the whole heap, and what one
 * collection has found may count until the next: another thread frees it.
 */
const BUFFERS_PER_COLLECTION = 24 * MIB;

/** Bytes of buffers after which the space of young objects is measured again. */
const MEASURED_EVERY = 16 * MIB;

/** Bytes of that space from which on it costs more to fill it than to mark the heap. */
const MOST_CAPACITY = 128 * MIB;

/** Bytes of a page of V8's heap. */
const PAGE_LENGTH = 256 * 1024;

/** Elements of an array of just over half a page. It takes a page: the next one does not fit beside it, and only half is written. */
const ELEMENTS = 16_360;

/** V8 would leave out an allocation that nothing can see, so the latest one is kept here. */
export const youngGarbage: { latest: readonly unknown[] } = { latest: [] };

/** Bytes that can be filled with young objects before they are collected. It grows while a process runs, from 1 to 64 MiB. */
let capacity = 0;
let unmeasured = MEASURED_EVERY;
/** Bytes of garbage that are due. */
let due = 0;

/**
 * To be called for each buffer that is made by the packet and will soon be garbage.
 *
 * V8 collects its young objects, cheaply, when their space is full; the memory behind buffers is not in it. A server that moves data
 * makes large buffers and hardly any objects, and so meets another limit first, that on all memory outside the heap, which makes V8
 * mark the whole heap: 20 to 50 times for each GiB, which takes more time than all the rest. So the space is filled with garbage for
 * every 24 MiB of buffers, which are found in the same collection: 43 for each GiB, of half a millisecond each.
 */
export function accompanyBuffer(length: number): void {
  unmeasured += length;
  if (unmeasured >= MEASURED_EVERY) {
    unmeasured = 0;
    capacity = youngCapacity();
  }
  due += (length / BUFFERS_PER_COLLECTION) * capacity;
  for (; due >= PAGE_LENGTH; due -= PAGE_LENGTH) youngGarbage.latest = new Array(ELEMENTS);
}

function youngCapacity(): number {
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  if (space === undefined) return 0;
  const bytes = space.space_used_size + space.space_available_size;
  return bytes > MOST_CAPACITY ? 0 : bytes;
}
